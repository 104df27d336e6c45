import { AppError } from '../../core/error.ts';

const AGES: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Milliseconds of a time span as `30d`, `12h` or `90m`. @throws AppError USAGE that names the option */
export function parseAge(text: string, source: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([smhdw])$/.exec(text.trim()) ?? [];
  if (number !== undefined) return Math.round(Number(number) * AGES[unit]!);
  throw new AppError('USAGE', `"${text}" is not a time span for ${source}`, {
    hint: 'write a number and s, m, h, d or w, as in 30d',
  });
}

/** Bytes of a size as `50GB` or `512MiB`. @throws AppError USAGE that names the option */
export function parseSize(text: string, source: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*((?:[kmgt]i?)?)b?$/i.exec(text.trim()) ?? [];
  if (number !== undefined) return Math.round(Number(number) * SIZES[unit.toLowerCase()]!);
  throw new AppError('USAGE', `"${text}" is not a size for ${source}`, {
    hint: 'write a number and a unit, as in 50GB or 512MiB',
  });
}
