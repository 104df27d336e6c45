import { isSpace, type Token, trimmedToken } from '../text.ts';
import type { Escape } from './directives.ts';

/**
 * Words separated by white space as BuildKit splits ENV, LABEL and ARG: quotes keep white space together, the escape
 * character takes the next character along, and both stay in the word for its expansion. `offset` is where `text` begins
 * in the logical line.
 */
export function quotedWords(text: string, offset: number, escapeChar: Escape): Token[] {
  const words: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (isSpace(text[at]!)) {
      at += 1;
      continue;
    }
    const { word, end } = readWord(text, at, escapeChar);
    if (word !== '') words.push({ text: word, start: offset + at, end: offset + end });
    at = end;
  }
  return words;
}

function readWord(text: string, from: number, escapeChar: Escape): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = from;
  for (; at < text.length; at += 1) {
    const char = text[at]!;
    if (quote === '' && isSpace(char)) break;
    if (char === escapeChar && quote !== "'") {
      if (at + 1 === text.length) continue;
      word += char + text[at + 1]!;
      at += 1;
      continue;
    }
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    word += char;
  }
  return { word, end: at };
}

/** Words separated by blanks alone, as in FROM, EXPOSE, COPY, ADD and VOLUME: quotes have no meaning here. */
export function plainWords(text: string, offset: number): Token[] {
  return [...text.matchAll(/[^\t\v\f\r ]+/g)].map((match) => ({
    text: match[0],
    start: offset + match.index,
    end: offset + match.index + match[0].length,
  }));
}

/** The leading `--name=value` words, quotes and escapes removed, and what follows them; a bare `--` ends them. */
export function leadingFlags(
  line: string,
  from: number,
  escapeChar: Escape,
): { flags: Token[]; rest: Token } {
  const flags: Token[] = [];
  let at = trimmedToken(line, from).start;
  while (line.startsWith('--', at)) {
    const start = at;
    let text = '';
    let quote = '';
    for (; at < line.length; at += 1) {
      const char = line[at]!;
      if (quote === '' && isSpace(char)) break;
      if (char === quote) quote = '';
      else if (quote === '' && (char === '"' || char === "'")) quote = char;
      else if (char === escapeChar) {
        at += 1;
        text += line[at] ?? '';
      } else text += char;
    }
    const end = Math.min(at, line.length);
    if (text !== '--') flags.push({ text, start, end });
    at = trimmedToken(line, end).start;
    if (text === '--') break;
  }
  return { flags, rest: trimmedToken(line, at) };
}
