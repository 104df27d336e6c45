import type { JSONPath } from 'jsonc-parser';
import type { PropertyRow } from './property-types.ts';

/** Something that is written another way than it should be, and what it is taken for. */
export interface Oddity {
  readonly path: JSONPath;
  readonly taken: string;
}

/**
 * A value of a property as it is meant, where it can be read though its type is wrong, as the reference implementation
 * reads it: null in an object is as if the key were left out, a string in place of a list is a list of one, and a number in
 * place of a user is an id.
 * @param onOdd called for each place that was read so
 */
export function readableValue(
  row: Pick<PropertyRow, 'name' | 'lenience'>,
  value: unknown,
  onOdd: (odd: Oddity) => void,
): unknown {
  if (typeof value === 'string' && row.lenience?.includes('one')) {
    onOdd({ path: [row.name], taken: 'a string, which is taken as a list of one' });
    return [value];
  }
  if (typeof value === 'number' && row.lenience?.includes('id')) {
    onOdd({ path: [row.name], taken: 'a number, which is taken as an id' });
    return String(value);
  }
  return row.lenience?.includes('null') ? value : withoutNulls(value, [row.name], onOdd);
}

function withoutNulls(value: unknown, path: JSONPath, onOdd: (odd: Oddity) => void): unknown {
  if (Array.isArray(value)) return value.map((item, i) => withoutNulls(item, [...path, i], onOdd));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      if (item !== null) return [[key, withoutNulls(item, [...path, key], onOdd)]];
      onOdd({ path: [...path, key], taken: 'null, which is as if it were left out' });
      return [];
    }),
  );
}
