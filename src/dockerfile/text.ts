/** White space as Unicode's White_Space property has it: what BuildKit trims and splits words at. */
const SPACE = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** Whether one character is white space. */
export function isSpace(char: string): boolean {
  return SPACE.test(char);
}

/** The offset of the first character at or after `from` that is not white space; the text's length when there is none. */
export function skipSpace(text: string, from = 0): number {
  let at = from;
  while (at < text.length && isSpace(text[at]!)) at += 1;
  return at;
}

/** The offset just behind the last character that is not white space. */
function endOfText(text: string): number {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1]!)) end -= 1;
  return end;
}

/** A piece of a logical line: `start` and `end` are offsets into it, `text` is what stands there (flags: without quotes). */
export interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The trimmed part of `text` from `from` on. */
export function trimmedToken(text: string, from: number): Token {
  const end = endOfText(text);
  const start = Math.min(skipSpace(text, from), Math.max(end, from));
  return { text: text.slice(start, end), start, end: Math.max(start, end) };
}
