import type { KeyTable } from './key-table.ts';

/** Two values that differ in one field, and whether their keys must differ. */
export interface KeyPair<T> {
  readonly what: string;
  readonly before: T;
  readonly after: T;
  readonly counts: boolean;
}

/** A value, and pairs in which everything about it changes once. */
export interface Sampled<T> {
  readonly first: T;
  readonly pairs: readonly KeyPair<T>[];
}

/** What every field of a type is changed to. A type that gets another field does not compile without a sample of it. */
export type KeySamples<T> = { readonly [K in keyof T]-?: Sampled<T[K]> };

/** Values that all make different keys. */
export function counts<T>(...values: readonly [T, T, ...T[]]): Sampled<T> {
  return between(values, true);
}

/** Values that all make the same key. */
export function ignored<T>(...values: readonly [T, T, ...T[]]): Sampled<T> {
  return between(values, false);
}

/** A value that is always the same, such as the name of a variant. */
export function fixed<T>(value: T): Sampled<T> {
  return { first: value, pairs: [] };
}

/** An object; a field that is undefined is left out of it. */
export function object<T extends object>(samples: KeySamples<T>): Sampled<T> {
  const fields = Object.entries(samples) as [string, Sampled<unknown>][];
  const first = made(Object.fromEntries(fields.map(([name, sampled]) => [name, sampled.first])));
  const pairs = fields.flatMap(([name, sampled]) =>
    sampled.pairs.map(({ what, before, after, counts: expected }) => ({
      what: what === '' ? name : `${name}.${what}`,
      before: made({ ...first, [name]: before }) as T,
      after: made({ ...first, [name]: after }) as T,
      counts: expected,
    })),
  );
  return { first: first as T, pairs };
}

/** The variants of a union, which all make different keys, and other pairs of them. */
export function union<T>(
  variants: Readonly<Record<string, Sampled<T>>>,
  more: readonly KeyPair<T>[] = [],
): Sampled<T> {
  const all = Object.entries(variants);
  const inside = all.flatMap(([name, { pairs }]) =>
    pairs.map((pair) => ({ ...pair, what: `${name}.${pair.what}` })),
  );
  const [first, ...others] = all;
  const across = between([first![1].first, ...others.map(([, { first: other }]) => other)] as [T, T], true);
  return { first: first![1].first, pairs: [...inside, ...across.pairs, ...more] };
}

/** A value that may be missing. */
export function optional<T>({ first, pairs }: Sampled<T>): Sampled<T | undefined> {
  return { first, pairs: [...pairs, { what: 'missing', before: first, after: undefined, counts: true }] };
}

/** A list of one. */
export function listOf<T>(sampled: Sampled<T>): Sampled<readonly T[]> {
  const { first, pairs } = sampled;
  const wrapped = pairs.map((pair) => ({ ...pair, before: [pair.before], after: [pair.after] }));
  const longer = { what: 'another one', before: [first], after: [first, first], counts: true };
  return { first: [first], pairs: [...wrapped, longer] };
}

/** The same value with the pairs of all. */
export function both<T>(...all: readonly [Sampled<T>, ...Sampled<T>[]]): Sampled<T> {
  return { first: all[0].first, pairs: all.flatMap(({ pairs }) => pairs) };
}

/** What is wrong with the keys of pairs. @param most after so many nothing more is looked for */
export async function wrongPairs<T>(
  pairs: readonly KeyPair<T>[],
  keyOf: (value: T) => string | Promise<string>,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { what, before, after, counts: expected } of pairs) {
    if (wrong.length >= most) break;
    const differ = (await keyOf(before)) !== (await keyOf(after));
    if (differ !== expected) wrong.push(`${what} ${differ ? 'is' : 'is not'} in the key`);
  }
  return wrong;
}

/** A field that enters a key, and how to leave it out for a while. */
export interface KeyField {
  readonly name: string;
  /** Calls `work` while the field does not enter. */
  without<R>(work: () => Promise<R>): Promise<R>;
}

/** All fields of tables, by the path to them. */
export function fieldsOfTables(tables: object, path = ''): KeyField[] {
  return Object.entries(tables).flatMap(([name, rule]: [string, object]): KeyField[] => {
    const at = `${path}${name}`;
    if ('out' in rule) return [];
    if ('in' in rule) return [fieldOf(tables, name, at)];
    if ('spread' in rule)
      return [fieldOf(tables, name, at), ...fieldsOfTables(rule.spread as KeyTable<object>, `${at}.`)];
    return fieldsOfTables(rule, `${at}.`);
  });
}

function fieldOf(table: object, name: string, at: string): KeyField {
  const rules = table as Record<string, unknown>;
  return {
    name: at,
    without: async (work) => {
      const rule = rules[name];
      rules[name] = { out: 'for a test' };
      try {
        return await work();
      } finally {
        rules[name] = rule;
      }
    },
  };
}

function between<T>(values: readonly T[], expected: boolean): Sampled<T> {
  const pairs = values.flatMap((before, at) =>
    values.slice(at + 1).map((after) => ({ what: '', before, after, counts: expected })),
  );
  return { first: values[0]!, pairs };
}

function made(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
