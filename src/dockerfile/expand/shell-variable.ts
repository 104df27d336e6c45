import type { Lexer, Nested } from './lexer-state.ts';
import { removePrefix, removeSuffix, replacePattern } from './shell-pattern.ts';

/** Reads a `$`, the name or braces behind it, and gives the value. */
export function* readVariable(lexer: Lexer): Nested<string> {
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
  if (operator === '/') return yield* readReplacement(lexer, name);
  return yield* readModifier(lexer, name, operator);
}

function* readModifier(lexer: Lexer, name: string, operator: string): Nested<string> {
  const { chars, options } = lexer;
  const colon = operator === ':';
  const modifier = colon ? (chars[lexer.at++] ?? '') : operator;
  const written = colon ? `:${modifier}` : modifier;
  const trims = modifier === '#' || modifier === '%';
  if (!['-', '+', '?', '#', '%'].includes(modifier) || (colon && trims)) {
    options.fail(`the modifier ${written} of \${${name}${written}} is not supported`);
  }
  const word = yield* lexer.readUntil('}', trims);
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

function* readReplacement(lexer: Lexer, name: string): Nested<string> {
  const { chars, options } = lexer;
  const all = chars[lexer.at] === '/';
  if (all) lexer.at += 1;
  const pattern = yield* lexer.readUntil('/', true);
  const replacement = yield* lexer.readUntil('}', true);
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
