import { AppError } from './error.ts';

/**
 * The words of a text, split as a POSIX shell splits a line that holds nothing but words (XCU 2.2, "Quoting"): blanks
 * outside of quotes separate them, and nothing is expanded.
 * @param what names the text in the error
 * @throws AppError USAGE for a quote that is not closed, or a backslash at the end
 */
export function splitWords(text: string, what: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const open = (kind: string): never => {
    throw new AppError('USAGE', `${what} ends inside ${kind}`, { hint: 'close it, or escape it with \\' });
  };
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]!;
    if (char === ' ' || char === '\t' || char === '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '\\') {
      i += 1;
      if (i >= text.length) open('an escape');
      // A line that is continued.
      if (text[i] !== '\n') word = (word ?? '') + text[i];
    } else if (char === "'") {
      const end = text.indexOf("'", i + 1);
      if (end < 0) open('single quotes');
      word = (word ?? '') + text.slice(i + 1, end);
      i = end;
    } else if (char === '"') {
      const quoted = readDouble(text, i + 1) ?? open('double quotes');
      word = (word ?? '') + quoted.text;
      i = quoted.end;
    } else word = (word ?? '') + char;
  }
  return word === undefined ? words : [...words, word];
}

/** The text up to the closing double quote, where a backslash escapes only some characters; undefined without one. */
function readDouble(text: string, from: number): { readonly text: string; readonly end: number } | undefined {
  let out = '';
  for (let i = from; i < text.length; i += 1) {
    const char = text[i]!;
    if (char === '"') return { text: out, end: i };
    const next = text[i + 1];
    if (char !== '\\' || next === undefined || !'$`"\\\n'.includes(next)) out += char;
    else {
      if (next !== '\n') out += next;
      i += 1;
    }
  }
  return undefined;
}

/** A text as one word of a POSIX shell. */
export function quoteWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
