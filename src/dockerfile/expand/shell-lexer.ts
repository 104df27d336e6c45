import { isSpace } from '../text.ts';
import { answerOf, carryOut, type Lexer, type LexOptions, type Nested } from './lexer-state.ts';
import { readVariable } from './shell-variable.ts';

export interface Lexed {
  readonly text: string;
  /** The text split at white space that was neither quoted nor escaped. */
  readonly words: readonly string[];
}

/** Of a word with its variables in their places: no registry takes a config that is longer than this (4 MiB). */
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** Reads a whole word: quotes, escapes and `$` are processed. */
export function lexWord(source: string, options: LexOptions): Lexed {
  const lexer: Lexer = {
    chars: Array.from(source),
    options,
    readUntil: (stop, keepEscapes) => answerOf(readUntil(lexer, stop, keepEscapes, NO_WORDS)),
    at: 0,
    keepEscapes: options.keepEscapes ?? false,
  };
  const words = createWords();
  const text = carryOut(readUntil(lexer, undefined, lexer.keepEscapes, words));
  return { text, words: words.list() };
}

interface Words {
  /** Takes a character, which ends a word when it is white space. */
  readonly add: (char: string) => void;
  /** Takes a piece of a word, with its white space. */
  readonly addWhole: (piece: string) => void;
}

/** Nobody asks for those of a nested word; a piece would be looked at once for each level around it. */
const NO_WORDS: Words = { add: () => {}, addWhole: () => {} };

function* readUntil(
  lexer: Lexer,
  stop: string | undefined,
  keepEscapes: boolean,
  words: Words,
): Nested<string> {
  const { chars, options } = lexer;
  const outer = lexer.keepEscapes;
  lexer.keepEscapes = keepEscapes;
  let text = '';
  for (;;) {
    const char = chars[lexer.at];
    if (char === undefined || char === stop) break;
    let piece: string;
    if (char === '$') {
      piece = yield* answerOf(readVariable(lexer));
      if (text.length + piece.length > MOST_CHARACTERS)
        options.fail(`it is longer than ${MOST_CHARACTERS} characters`);
      if (words !== NO_WORDS) for (const one of piece) words.add(one);
    } else {
      if (char === "'" && !options.plainQuotes) piece = readSingleQuoted(lexer);
      else if (char === '"' && !options.plainQuotes) piece = yield* answerOf(readDoubleQuoted(lexer));
      else if (char === '<') piece = readHeredocMark(lexer);
      else if (char === options.escape) piece = readEscaped(lexer);
      else {
        lexer.at += 1;
        text += char;
        words.add(char);
        continue;
      }
      words.addWhole(piece);
    }
    text += piece;
  }
  if (stop !== undefined) {
    if (chars[lexer.at] !== stop) options.fail(`the closing ${stop} is missing`);
    lexer.at += 1;
  }
  lexer.keepEscapes = outer;
  return text;
}

function createWords(): Words & { readonly list: () => string[] } {
  const done: string[] = [];
  let word = '';
  return {
    add: (char) => {
      if (!isSpace(char)) word += char;
      else if (word !== '') {
        done.push(word);
        word = '';
      }
    },
    addWhole: (piece) => {
      word += piece;
    },
    list: () => (word === '' ? done : [...done, word]),
  };
}

function readEscaped(lexer: Lexer): string {
  const next = lexer.chars[lexer.at + 1] ?? '';
  lexer.at += 2;
  return (lexer.keepEscapes ? lexer.options.escape : '') + next;
}

/** `<<` with the blanks behind it, so that a heredoc and its name stay one word. */
function readHeredocMark(lexer: Lexer): string {
  const { chars } = lexer;
  lexer.at += 1;
  if (chars[lexer.at] !== '<') return '<';
  lexer.at += 1;
  let mark = '<<';
  while (/^[\t\r ]$/.test(chars[lexer.at] ?? '')) mark += chars[lexer.at++];
  return mark;
}

function readSingleQuoted(lexer: Lexer): string {
  const end = lexer.chars.indexOf("'", lexer.at + 1);
  if (end === -1) lexer.options.fail('the closing single quote is missing');
  const inside = lexer.chars.slice(lexer.at + 1, end).join('');
  lexer.at = end + 1;
  return lexer.options.keepQuotes ? `'${inside}'` : inside;
}

function* readDoubleQuoted(lexer: Lexer): Nested<string> {
  const { chars, options } = lexer;
  const quote = options.keepQuotes ? '"' : '';
  let text = quote;
  lexer.at += 1;
  for (;;) {
    const char = chars[lexer.at];
    if (char === undefined) return options.fail('the closing double quote is missing');
    if (char === '$') {
      text += yield* answerOf(readVariable(lexer));
      continue;
    }
    lexer.at += 1;
    if (char === '"') return text + quote;
    if (char !== options.escape) {
      text += char;
      continue;
    }
    const next = chars[lexer.at];
    const escapes = next === '"' || next === '$' || next === options.escape;
    if (!escapes) {
      text += char;
      continue;
    }
    lexer.at += 1;
    text += (lexer.keepEscapes ? char : '') + next;
  }
}
