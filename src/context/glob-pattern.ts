import { AppError } from '../core/error.ts';

/**
 * A pattern of Go's filepath.Match as the source of a regular expression (flags `su`).
 * @throws AppError DOCKERFILE for a malformed one
 */
export function goPattern(pattern: string): string {
  const chars = [...pattern];
  let out = '';
  for (let i = 0; i < chars.length; i += 1) {
    const char = chars[i]!;
    if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '\\') {
      i += 1;
      if (i === chars.length) throw malformed(pattern);
      out += literal(chars[i]!);
    } else if (char === '[') {
      const read = readClass(chars, i + 1, pattern);
      out += read.source;
      i = read.end;
    } else out += literal(char);
  }
  return out;
}

function readClass(
  chars: readonly string[],
  start: number,
  pattern: string,
): { source: string; end: number } {
  let i = start;
  const negated = chars[i] === '^';
  if (negated) i += 1;
  const ranges: string[] = [];
  let empty = true;
  const one = (): string => {
    const char = chars[i];
    if (char === undefined || char === '-' || char === ']') throw malformed(pattern);
    if (char === '\\') i += 1;
    const taken = chars[i];
    if (taken === undefined) throw malformed(pattern);
    i += 1;
    return taken;
  };
  while (chars[i] !== ']' || empty) {
    empty = false;
    const low = one();
    const ranged = chars[i] === '-';
    if (ranged) i += 1;
    const high = ranged ? one() : low;
    // A range that runs backwards matches nothing in Go.
    if (low <= high) ranges.push(`${hex(low)}-${hex(high)}`);
  }
  if (ranges.length === 0) return { source: negated ? '.' : '(?!)', end: i };
  return { source: `[${negated ? '^' : ''}${ranges.join('')}]`, end: i };
}

function hex(char: string): string {
  return `\\u{${char.codePointAt(0)!.toString(16)}}`;
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function malformed(pattern: string): AppError {
  return new AppError('DOCKERFILE', `the pattern "${pattern}" is malformed`, {
    hint: 'close every [ with ], and put \\ before a character that is meant literally',
  });
}
