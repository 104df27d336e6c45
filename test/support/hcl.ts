import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** What is between the braces of a template for Terraform; expressions are texts, `${…}`. */
export interface HclTemplate {
  readonly data: {
    readonly external: {
      readonly probe: readonly {
        readonly program: readonly string[];
        readonly query: Readonly<Record<string, string>>;
      }[];
    };
  };
  readonly locals: readonly {
    readonly own: Readonly<Record<string, string>>;
    readonly image: string;
    readonly asked: string;
  }[];
}

/** Reads a template with the parser of HashiCorp. @throws Error with the place, for what is not HCL */
export function parseTemplate(text: string): HclTemplate {
  const program = join(import.meta.dirname, 'hcl-main.ts');
  return JSON.parse(
    execFileSync(process.execPath, [program], { input: text, encoding: 'utf8' }),
  ) as HclTemplate;
}
