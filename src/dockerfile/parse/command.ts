import type { Command } from '../types.ts';

/**
 * A JSON array of strings; undefined when the text is no JSON array.
 * 'mixed' is an array with something else than strings in it, which no instruction accepts.
 */
export function parseJsonForm(text: string): readonly string[] | 'mixed' | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'string') ? value : 'mixed';
}

/** Whether the text is a JSON array of strings. */
export function jsonStrings(text: string): boolean {
  return Array.isArray(parseJsonForm(text));
}

/** Whether a text that is no JSON was probably meant to be: `["a"` or `['a', 'b']`, but not the shell's `[ "$a" = b ]`. */
export function looksLikeJson(text: string): boolean {
  if (parseJsonForm(text) !== undefined) return false;
  return /^\[["']/.test(text) || /^\[\s+["'].*,.*\]$/s.test(text);
}

/** The command of a text: exec form when it is a JSON array of strings, else shell form. */
export function commandOf(argv: readonly string[] | undefined, line: string): Command {
  return argv ? { form: 'exec', argv } : { form: 'shell', line };
}
