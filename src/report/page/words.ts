import { formatDuration } from '../../core/units.ts';
import type { ReportStep } from './types.ts';

/** What people call the phases. */
const PHASES: Readonly<Record<string, string>> = {
  clone: 'Cloning the repository',
  plan: 'Reading the Dockerfile and asking for base images',
  lookup: 'Looking up the cache',
  download: 'Downloading',
  verify: 'Verifying downloads',
  decode: 'Decompressing',
  write: 'Writing files',
  extract: 'Unpacking layers',
  run: 'Commands of RUN',
  snapshot: 'Finding out what steps changed',
  compress: 'Compressing new layers',
  upload: 'Storing and pushing',
  image: 'Making the image',
  output: 'Writing outputs',
  hooks: 'Running hooks',
  cleanup: 'Cleaning up',
};

/** A phase in words. */
export function phaseText(name: string): string {
  return PHASES[name] ?? name;
}

/** Outcomes as one word. */
export const OUTCOMES: Readonly<Record<ReportStep['outcome'], string>> = {
  hit: 'cached',
  built: 'built',
  failed: 'failed',
  unneeded: 'not needed',
  unfinished: 'not finished',
};

/** The first line of an instruction, cut. */
export function instruction(text: string, most = 120): string {
  const [first = '', ...more] = text.split('\n');
  const line = first.trimEnd().replace(/\s*\\$/, '');
  const cut = line.length > most ? line.slice(0, most - 1) : line;
  return cut.length < line.length || more.length > 0 ? `${cut} …` : cut;
}

/** A part of a whole: 42 %. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '0 %';
  const value = (100 * part) / whole;
  return value > 0 && value < 1 ? '< 1 %' : `${Math.round(value)} %`;
}

/** A moment for people, in UTC: 2026-11-30 01:55. */
export function moment(rfc3339: string): string {
  return rfc3339.slice(0, 16).replace('T', ' ');
}

/** Marks on an axis from 0 to `total` milliseconds: at most six, at round times. */
export function ticks(total: number): readonly { readonly at: number; readonly text: string }[] {
  const step = TICKS.find((one) => total / one <= 6) ?? Math.ceil(total / 6 / HOUR) * HOUR;
  const count = Math.floor(total / step);
  return Array.from({ length: count + 1 }, (_, i) => ({
    at: i * step,
    text: i === 0 ? '0' : tickText(i * step),
  }));
}

const HOUR = 3_600_000;
const TICKS = [
  10,
  20,
  50,
  100,
  200,
  500,
  1000,
  2000,
  5000,
  10_000,
  15_000,
  30_000,
  60_000,
  120_000,
  300_000,
  600_000,
  900_000,
  1_800_000,
  HOUR,
];

function tickText(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${ms / 1000} s`;
  if (ms % 60_000 !== 0) return formatDuration(ms);
  return ms >= HOUR && ms % HOUR === 0 ? `${ms / HOUR} h` : `${ms / 60_000} min`;
}
