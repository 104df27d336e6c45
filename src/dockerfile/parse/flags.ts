import { didYouMean } from '../../core/suggest.ts';
import type { Token } from '../text.ts';
import type { Flag } from '../types.ts';
import { tokenRange } from './logical-line.ts';
import { fail, type Statement } from './statement.ts';

/** What the flags of an instruction may be: a boolean, one value, or a value each time it is given. */
export type FlagKinds = Readonly<Record<string, 'boolean' | 'value' | 'values'>>;

/** Flags as given; `token` is the place for errors. */
export interface Flags {
  has(name: string): boolean;
  /** The value; undefined when the flag was not given or is empty. */
  value(name: string): string | undefined;
  values(name: string): readonly GivenFlag[];
  isTrue(name: string): boolean;
}

export interface GivenFlag extends Flag {
  readonly token: Token;
}

/**
 * Checks the flags of a statement against those that its instruction knows.
 * @throws AppError DOCKERFILE for an unknown flag, one given twice, a missing value, a boolean that is neither true nor false
 */
export function readFlags(statement: Statement, kinds: FlagKinds): Flags {
  const given: GivenFlag[] = [];
  for (const token of statement.flags) {
    const flag = readFlag(statement, token, kinds);
    if (kinds[flag.name] !== 'values' && given.some(({ name }) => name === flag.name)) {
      fail(statement, token, `the flag --${flag.name} is given twice`, 'keep one of them');
    }
    given.push(flag);
  }
  const find = (name: string): string | undefined => given.find((flag) => flag.name === name)?.value;
  return {
    has: (name) => find(name) !== undefined,
    value: (name) => find(name) || undefined,
    values: (name) => given.filter((flag) => flag.name === name),
    isTrue: (name) => find(name) === 'true',
  };
}

/** For instructions that take no flags at all. */
export function rejectFlags(statement: Statement): void {
  readFlags(statement, {});
}

function readFlag(statement: Statement, token: Token, kinds: FlagKinds): GivenFlag {
  const equals = token.text.indexOf('=');
  const name = token.text.slice(2, equals === -1 ? undefined : equals);
  const value = equals === -1 ? undefined : token.text.slice(equals + 1);
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined) unknown(statement, token, name, Object.keys(kinds));
  const range = tokenRange(statement.source, statement.line, token);
  if (kind === 'boolean') return { name, value: readBoolean(statement, token, name, value), range, token };
  if (value === undefined) fail(statement, token, `the flag --${name} needs a value`, `write --${name}=…`);
  return { name, value, range, token };
}

function unknown(statement: Statement, token: Token, name: string, known: readonly string[]): never {
  const keyword = statement.keyword.text.toUpperCase();
  const hint =
    known.length === 0
      ? `${keyword} takes no flags; put -- before words that begin with --`
      : didYouMean(
          `--${name}`,
          known.map((flag) => `--${flag}`),
        );
  fail(statement, token, `${keyword} has no flag --${name}`, hint);
}

function readBoolean(statement: Statement, token: Token, name: string, value: string | undefined): string {
  const lower = value?.toLowerCase();
  if (lower === undefined || lower === 'true') return 'true';
  if (lower === 'false') return 'false';
  fail(statement, token, `the flag --${name} has the value "${value}"`, `write --${name} or --${name}=false`);
}
