import type { Canonical } from './canonical.ts';

/** What becomes of one field of a value in a key. */
export type KeyRule<T, K extends keyof T, C> =
  | {
      /** What enters for it; undefined is as good as nothing. */
      readonly in: (value: T[K], of: T, context: C) => Canonical | undefined;
      /** The name that it has in the key, where that is not its own. */
      readonly as?: string;
    }
  /** The fields of the object that it is stand beside the others. */
  | { readonly spread: KeyTable<NonNullable<T[K]>, C> }
  /** Why it does not enter. */
  | { readonly out: string };

/**
 * How a value enters a key, field by field. A type that gets another field does not compile until its table says what becomes
 * of it.
 */
export type KeyTable<T, C = unknown> = { readonly [K in keyof T]-?: KeyRule<T, K, C> };

/** A table for each variant of a union that has the field D to tell them apart. */
export type KeyTables<T, D extends keyof T, C = unknown> = {
  readonly [V in T[D] & string]: KeyTable<Extract<T, { readonly [F in D]: V }>, C>;
};

export type KeyFields = Readonly<Record<string, Canonical>>;

/** A table whose type is forgotten. */
type AnyTable = Readonly<
  Record<
    string,
    {
      readonly in?: (value: unknown, of: unknown, context: unknown) => Canonical | undefined;
      readonly as?: string;
      readonly spread?: AnyTable;
    }
  >
>;

/** A field that enters as it is. */
export function asIs(as?: string): {
  readonly in: (value: Canonical | undefined) => Canonical | undefined;
  readonly as?: string;
} {
  return { in: (value) => value, ...(as === undefined ? {} : { as }) };
}

/** A field that enters as it is, null where it is not there. */
export function orNull(as?: string): {
  readonly in: (value: Canonical | undefined) => Canonical;
  readonly as?: string;
} {
  return { in: (value) => value ?? null, ...(as === undefined ? {} : { as }) };
}

/** A field that does not enter, and why. */
export function out(reason: string): { readonly out: string } {
  return { out: reason };
}

/** The table as a function that gives the fields of a key. @throws RangeError where two fields have one name */
export function compileKeyTable<T, C>(table: KeyTable<T, C>): (of: T, context: C) => KeyFields {
  const fill = compile(table as AnyTable, new Set());
  return (of, context) => {
    const fields: Record<string, Canonical> = {};
    fill(fields, of as Values, context);
    return fields;
  };
}

/** What enters a key for a value. @throws RangeError where two fields have one name */
export function keyFields<T, C>(table: KeyTable<T, C>, of: T, context: C): KeyFields {
  return compileKeyTable(table)(of, context);
}

type Values = Readonly<Record<string, unknown>>;
type Fill = (fields: Record<string, Canonical>, of: Values, context: unknown) => void;

/** A key of 100,000 files calls this for each: names are compared here, and not then. */
function compile(table: AnyTable, names: Set<string>): Fill {
  const parts: Fill[] = [];
  for (const [name, { in: enter, as = name, spread }] of Object.entries(table)) {
    if (spread) {
      const fill = compile(spread, names);
      parts.push((fields, of, context) => {
        if (of[name] !== undefined) fill(fields, of[name] as Values, context);
      });
    }
    if (!enter) continue;
    if (names.has(as)) throw new RangeError(`two fields of a key are named ${as}`);
    names.add(as);
    parts.push((fields, of, context) => {
      const value = enter(of[name], of, context);
      if (value !== undefined) fields[as] = value;
    });
  }
  return (fields, of, context) => {
    for (const part of parts) part(fields, of, context);
  };
}
