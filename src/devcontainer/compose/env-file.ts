import type { Environment } from '../../core/environment.ts';
import type { Where } from '../../core/error.ts';
import { interpolate } from './interpolate.ts';

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*(?:[=:]\s?|$)/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * The variables of an env file as Compose reads it: `NAME=value` lines, comments, single quotes for literal text, double
 * quotes with escapes; variables are replaced but in single quotes, and see those above them. A name alone takes its value
 * from `env`, and is left out when that has none.
 * @throws AppError DEVCONTAINER for a variable that must be set and is not
 */
export function parseEnvFile(text: string, env: Environment, where: Where): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const lookup = { onUnset: (): void => {} };
  const expand = (value: string): string =>
    interpolate(value, { ...lookup, env: { ...found, ...env } }, where);
  let rest = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  while (rest !== '') {
    const line = rest.split('\n', 1)[0]!;
    const match = ASSIGNMENT.exec(line);
    if (!match || /^\s*#/.test(line)) {
      rest = rest.slice(line.length + 1);
      continue;
    }
    const [head, name] = match;
    const named = !/[=:]/.test(head);
    const { value, length } = named
      ? { value: env[name!], length: line.length - head.length }
      : readValue(rest.slice(head.length), expand);
    if (value !== undefined) found[name!] = value;
    rest = rest.slice(head.length + length);
    rest = rest.slice((rest.split('\n', 1)[0] ?? '').length + 1);
  }
  return found;
}

function readValue(
  text: string,
  expand: (value: string) => string,
): { readonly value: string; readonly length: number } {
  const quoted = /^[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")/s.exec(text);
  if (quoted) {
    const [all, literal, escaped] = quoted;
    return { value: literal ?? unescaped(escaped!, expand), length: all.length };
  }
  const line = text.split('\n', 1)[0]!;
  const bare = line.replace(/(^|\s)#.*$/, '').trim();
  return { value: expand(bare), length: line.length };
}

function unescaped(text: string, expand: (value: string) => string): string {
  // A dollar sign that was escaped must not start a variable.
  const escaped = text.replace(/\\(.)/gs, (_, char: string) =>
    char === '$' ? '$$' : (ESCAPES[char] ?? (char === '"' || char === '\\' ? char : `\\${char}`)),
  );
  return expand(escaped);
}
