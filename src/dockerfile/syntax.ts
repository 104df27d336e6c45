import { AppError } from '../core/error.ts';
import { whereOfLine } from './source.ts';
import type { LintWarning } from './types.ts';

/** Where a front end is named: the build argument that overrides the file, or a line of the file. */
interface NamedFrontEnd {
  readonly reference: string;
  /** From 1; undefined for the build argument. */
  readonly line?: number;
}

/**
 * Sees to it that the front end that a file names (`# syntax=`, `// syntax=`, `{"syntax": …}`) or the build argument
 * BUILDKIT_SYNTAX names is docker/dockerfile in some version, from any registry: that is what is understood here.
 * @param ignore whether another one is only warned about
 * @returns the warning, where there is one
 * @throws AppError DOCKERFILE
 */
export function checkFrontEnd(
  content: Buffer | string,
  file: string,
  { buildArgs, ignore }: { readonly buildArgs: ReadonlyMap<string, string>; readonly ignore: boolean },
): LintWarning | undefined {
  const text = typeof content === 'string' ? content : content.toString('utf8');
  const named = namedFrontEnd(text, buildArgs.get('BUILDKIT_SYNTAX'));
  if (!named || isDockerfile(named.reference)) return undefined;
  const where = whereOfLine(text, file, named.line ?? 1);
  const by = named.line === undefined ? 'the build argument BUILDKIT_SYNTAX' : `${file}`;
  const message = `${by} asks for the front end ${named.reference}, and only docker/dockerfile is understood here`;
  if (ignore)
    return { rule: 'OtherFrontEnd', text: `${message}; it is built as a Dockerfile`, range: where.range };
  throw new AppError('DOCKERFILE', message, {
    ...(named.line === undefined ? {} : { where }),
    hint: 'build it with docker buildx, or try it as a Dockerfile with --ignore-syntax (ENVBUILDER_IGNORE_SYNTAX)',
  });
}

function namedFrontEnd(text: string, argument: string | undefined): NamedFrontEnd | undefined {
  if (argument !== undefined) {
    const [reference = ''] = argument.trim().split(' ', 1);
    return { reference };
  }
  const lines = text.replace(/^\ufeff/, '').split('\n');
  const first = lines[0]?.startsWith('#!') ? 1 : 0;
  for (const mark of ['#', '//']) {
    for (let at = first; at < lines.length; at += 1) {
      const line = lines[at]!;
      const match = line.startsWith(mark) ? DIRECTIVE.exec(line.slice(mark.length)) : null;
      if (!match || !['syntax', 'escape', 'check'].includes(match[1]!.toLowerCase())) break;
      if (match[1]!.toLowerCase() === 'syntax')
        return { reference: match[2]!.split(' ', 1)[0]!, line: at + 1 };
    }
  }
  return jsonFrontEnd(lines.slice(first).join('\n'));
}

const DIRECTIVE = /^\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;

function jsonFrontEnd(text: string): NamedFrontEnd | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const { syntax } = JSON.parse(text) as { syntax?: unknown };
    return typeof syntax === 'string' ? { reference: syntax, line: 1 } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a reference names docker/dockerfile, its preview docker/dockerfile-upstream, or a copy in another registry. */
function isDockerfile(reference: string): boolean {
  return /(?:^|\/)docker\/dockerfile(?:-upstream)?(?::[^/@]*)?(?:@[^/]*)?$/.test(reference);
}
