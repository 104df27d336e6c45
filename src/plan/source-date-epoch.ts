import { AppError } from '../core/error.ts';

/** The seconds that have a date of four digits, which is what an image can say. */
const FIRST = -62_167_219_200;
const LAST = 253_402_300_799;

/**
 * Checks the build argument SOURCE_DATE_EPOCH; an empty one counts as none.
 * @throws AppError USAGE for what is no whole number of seconds, and for a time before the year 0 or after 9999
 */
export function checkSourceDateEpoch(buildArgs: ReadonlyMap<string, string>): void {
  const text = buildArgs.get('SOURCE_DATE_EPOCH') ?? '';
  if (text === '') return;
  const seconds = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= FIRST && seconds <= LAST) return;
  throw new AppError('USAGE', `the build argument SOURCE_DATE_EPOCH has the invalid value "${text}"`, {
    hint: 'give it a whole number of seconds since 1970, such as that of git log -1 --pretty=%ct',
  });
}
