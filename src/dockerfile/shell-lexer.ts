import { removePrefix, removeSuffix, replacePattern } from './shell-pattern.ts';
import { isSpace } from './text.ts';

/** How to read a word; the rules are those of BuildKit's shell lexer, which the Dockerfile reference describes in part. */
export interface LexOptions {
  readonly lookup: (name: string) => string | undefined;
  readonly escape: string;
  /** Reports a syntax error; it must throw. */
  readonly fail: (message: string) => never;
  /** Quotes stay in the result. */
  readonly keepQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly keepEscapes?: boolean;
  /** Quotes are ordinary characters. */
  readonly plainQuotes?: boolean;
  /** Variables without a value stay as they are written. */
  readonly keepUnset?: boolean;
}

export interface Lexed {
  readonly text: string;
  /** The text split at white space that was neither quoted nor escaped. */
  readonly words: readonly string[];
}

/** Reads a whole word: quotes, escapes and `$` are processed. */
export function lexWord(source: string, options: LexOptions): Lexed {
  const lexer: Lexer = {
    chars: Array.from(source),
    at: 0,
    keepEscapes: options.keepEscapes ?? false,
    options,
  };
  return readUntil(lexer, undefined, lexer.keepEscapes);
}

interface Lexer {
  readonly chars: readonly string[];
  readonly options: LexOptions;
  at: number;
  keepEscapes: boolean;
}

function readUntil(lexer: Lexer, stop: string | undefined, keepEscapes: boolean): Lexed {
  const { chars, options } = lexer;
  const outer = lexer.keepEscapes;
  lexer.keepEscapes = keepEscapes;
  const words = createWords();
  let text = '';
  for (;;) {
    const char = chars[lexer.at];
    if (char === undefined || char === stop) break;
    let piece: string;
    if (char === '$') {
      piece = readVariable(lexer);
      for (const one of piece) words.add(one);
    } else {
      if (char === "'" && !options.plainQuotes) piece = readSingleQuoted(lexer);
      else if (char === '"' && !options.plainQuotes) piece = readDoubleQuoted(lexer);
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
  return { text, words: words.list() };
}

function createWords() {
  const done: string[] = [];
  let word = '';
  return {
    add: (char: string): void => {
      if (!isSpace(char)) word += char;
      else if (word !== '') {
        done.push(word);
        word = '';
      }
    },
    addWhole: (piece: string): void => {
      word += piece;
    },
    list: (): string[] => (word === '' ? done : [...done, word]),
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

function readDoubleQuoted(lexer: Lexer): string {
  const { chars, options } = lexer;
  const quote = options.keepQuotes ? '"' : '';
  let text = quote;
  lexer.at += 1;
  for (;;) {
    const char = chars[lexer.at];
    if (char === undefined) return options.fail('the closing double quote is missing');
    if (char === '$') {
      text += readVariable(lexer);
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

function readVariable(lexer: Lexer): string {
  const { chars, options } = lexer;
  lexer.at += 1;
  if (chars[lexer.at] !== '{') {
    const name = readName(lexer);
    if (name === '') return '$';
    return options.lookup(name) ?? (options.keepUnset ? `$${name}` : '');
  }
  lexer.at += 1;
  const first = chars[lexer.at];
  if (first === undefined) options.fail('the closing } is missing');
  if (first === '{' || first === '}' || first === ':') options.fail('a variable name is missing after ${');
  const name = readName(lexer);
  const operator = chars[lexer.at];
  lexer.at += 1;
  if (operator === undefined) return options.fail('the closing } is missing');
  if (operator === '}') return options.lookup(name) ?? (options.keepUnset ? `\${${name}}` : '');
  if (operator === '/') return readReplacement(lexer, name);
  return readModifier(lexer, name, operator);
}

function readModifier(lexer: Lexer, name: string, operator: string): string {
  const { chars, options } = lexer;
  const colon = operator === ':';
  const modifier = colon ? (chars[lexer.at++] ?? '') : operator;
  const written = colon ? `:${modifier}` : modifier;
  const trims = modifier === '#' || modifier === '%';
  if (!['-', '+', '?', '#', '%'].includes(modifier) || (colon && trims)) {
    options.fail(`the modifier ${written} of \${${name}${written}} is not supported`);
  }
  const word = readUntil(lexer, '}', trims).text;
  const value = options.lookup(name);
  if (value === undefined && options.keepUnset) return `\${${name}${written}${word}}`;
  const missing = value === undefined || (colon && value === '');
  switch (modifier) {
    case '-':
      return missing ? word : value;
    case '+':
      return missing ? '' : word;
    case '?':
      if (!missing) return value;
      return options.fail(
        `${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`,
      );
    default: {
      const longest = word.startsWith(modifier);
      const trim = modifier === '#' ? removePrefix : removeSuffix;
      return trim(value ?? '', longest ? word.slice(1) : word, longest, options.fail);
    }
  }
}

function readReplacement(lexer: Lexer, name: string): string {
  const { chars, options } = lexer;
  const all = chars[lexer.at] === '/';
  if (all) lexer.at += 1;
  const pattern = readUntil(lexer, '/', true).text;
  const replacement = readUntil(lexer, '}', true).text;
  const value = options.lookup(name);
  if (value === undefined && options.keepUnset) return `\${${name}/${pattern}/${replacement}}`;
  return replacePattern(value ?? '', pattern, replacement, all, options.fail);
}

/** A variable name, a positional parameter, or one of the shell's special parameters. */
function readName(lexer: Lexer): string {
  const { chars } = lexer;
  const start = lexer.at;
  const first = chars[start] ?? '';
  const pattern = /^\p{Nd}$/u.test(first) ? /^\p{Nd}$/u : /^[\p{L}\p{Nd}_]$/u;
  if ('@*#?-$!'.includes(first) && first !== '') {
    lexer.at += 1;
    return first;
  }
  while (pattern.test(chars[lexer.at] ?? '')) lexer.at += 1;
  return chars.slice(start, lexer.at).join('');
}
