import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Services } from '../../scripts/lib/services.ts';
import { run } from '../../scripts/lib/shell.ts';
import type { Generated } from './generate.ts';

/** What a comparison says of one seed: a difference, none, or that nothing could be compared. */
export type Verdict = Finding | 'same' | 'nothing built';

/** A difference. */
export interface Finding {
  /** One word, for the name of a file. */
  readonly kind: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** What was changed between the builds, in order. */
  readonly edits?: readonly string[];
}

/** A directory for the builds of one seed, with the context in it. */
export interface Workplace {
  readonly dir: string;
  readonly context: string;
  /** Writes the Dockerfile outside of the context, and gives the arguments of a build with it before the outputs. */
  readonly arguments: (lines: readonly string[], buildArgs: Readonly<Record<string, string>>) => string[];
  readonly remove: () => void;
}

/** Makes the context of a build below the directory of the services. */
export async function prepareWorkplace(
  services: Services,
  name: string,
  generated: Generated,
): Promise<Workplace> {
  const dir = join(services.dir, `fuzz-${name}`);
  const context = join(dir, 'context');
  mkdirSync(context, { recursive: true });
  await run('/bin/sh', ['-eu', '-c', generated.script], { cwd: context, env: { LC_ALL: 'C.UTF-8' } });
  if (generated.ignore !== undefined) writeFileSync(join(context, '.dockerignore'), generated.ignore);
  const hosts = { '@REGISTRY@': services.registry?.host ?? '', '@HTTP@': services.http?.host ?? '' };
  return {
    dir,
    context,
    arguments: (lines, buildArgs) => {
      let text = `${lines.join('\n')}\n`;
      for (const [mark, host] of Object.entries(hosts)) text = text.replaceAll(mark, host);
      const dockerfile = join(dir, 'Dockerfile');
      writeFileSync(dockerfile, text);
      return [
        `--file=${dockerfile}`,
        ...Object.entries(buildArgs).map(([key, to]) => `--build-arg=${key}=${to}`),
      ];
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Gives all files of a context this time, or the present. */
export async function touchAll(context: string, time = 'now'): Promise<void> {
  const script = 'find . -print0 | xargs -0 touch -h -d "$1"';
  await run('/bin/sh', ['-c', script, 'sh', time], { cwd: context });
}
