import { AppError } from '../../core/error.ts';
import { didYouMean } from '../../core/suggest.ts';
import { splitCommas } from './values.ts';

/**
 * Reads `key=value,key=value`, as Docker's compound flags are written.
 * @param keys what each accepted key is called in the result
 * @throws AppError USAGE for an unknown key, a key without a value, or an open quote
 */
export function parseFields<Name extends string>(
  text: string,
  flag: string,
  keys: Readonly<Record<string, Name>>,
): { readonly [Key in Name]?: string } {
  const parts = splitCommas(text);
  if (!parts) throw new AppError('USAGE', `${flag} has a double quote that is not closed`);
  const fields: { [Key in Name]?: string } = {};
  for (const part of parts) {
    const equals = part.indexOf('=');
    const key = part.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    const name = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (equals < 0) throw new AppError('USAGE', `${flag} has a part without "=": "${part}"`);
    if (name === undefined) {
      throw new AppError('USAGE', `${flag} has the unknown key "${key}"`, {
        hint: didYouMean(key, Object.keys(keys)),
      });
    }
    fields[name] = part.slice(equals + 1);
  }
  return fields;
}
