import type { Token } from '../text.ts';
import type { ArgInstruction, EnvInstruction, KeyValue, LabelInstruction } from '../types.ts';
import { rejectFlags } from './flags.ts';
import { fail, nodeOf, type Statement } from './statement.ts';
import { quotedWords } from './words.ts';

/** `ARG name[=default]…`. */
export function parseArg(statement: Statement): ArgInstruction {
  rejectFlags(statement);
  const words = wordsOf(statement);
  if (words.length === 0)
    fail(statement, undefined, 'ARG needs a name', 'write ARG name or ARG name=default');
  const args = words.map((word) => {
    const { key, value } = cut(word.text);
    if (key === '') fail(statement, word, 'ARG has an empty name', 'write ARG name=default');
    return value === undefined ? { key } : { key, value };
  });
  return { kind: 'arg', ...nodeOf(statement), args };
}

/** `ENV key=value…` or the older `ENV key value`. */
export function parseEnv(statement: Statement): EnvInstruction {
  return { kind: 'env', ...nodeOf(statement), pairs: parsePairs(statement) };
}

/** `LABEL key=value…` or the older `LABEL key value`. */
export function parseLabel(statement: Statement): LabelInstruction {
  return { kind: 'label', ...nodeOf(statement), pairs: parsePairs(statement) };
}

/** Whether an ENV or LABEL has the older form: no `=` in its first word, and all that follows it is the value. */
export function isLegacyPair(statement: Statement): boolean {
  const [first] = wordsOf(statement);
  return first !== undefined && !first.text.includes('=');
}

function parsePairs(statement: Statement): KeyValue[] {
  rejectFlags(statement);
  const keyword = statement.keyword.text.toUpperCase();
  const words = wordsOf(statement);
  const hint = `write ${keyword} name=value`;
  if (words.length === 0) fail(statement, undefined, `${keyword} needs a name and a value`, hint);
  if (isLegacyPair(statement)) {
    const match = /^([^\t\v\f\r ]+)[\t\v\f\r ]+(.*)$/s.exec(statement.rest.text);
    if (!match) fail(statement, words[0], `${keyword} ${words[0]!.text} has no value`, hint);
    return [{ key: match[1]!, value: match[2]! }];
  }
  return words.map((word) => {
    const { key, value } = cut(word.text);
    if (value === undefined) {
      const quoted = 'write name=value, and quote values with spaces: name="a b"';
      fail(statement, word, `${keyword} has the word "${word.text}" without an =`, quoted);
    }
    if (key === '') fail(statement, word, `${keyword} has an empty name`, hint);
    return { key, value };
  });
}

function wordsOf({ rest, escape: escapeChar }: Statement): Token[] {
  return quotedWords(rest.text, rest.start, escapeChar);
}

function cut(word: string): { key: string; value?: string } {
  const equals = word.indexOf('=');
  return equals === -1 ? { key: word } : { key: word.slice(0, equals), value: word.slice(equals + 1) };
}
