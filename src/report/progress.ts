import type { Event } from '../core/events.ts';
import { formatBytes } from '../core/units.ts';

type Progress = Extract<Event, { readonly type: 'progress' }>;

/** Milliseconds between two lines about the progress of one thing. */
const INTERVAL = 5000;

/** `extract: 12 MB of 34 MB`, `git: receiving objects: 120 of 4000`. */
export function progressText({ what, done, total, unit }: Progress): string {
  const amount = unit === 'objects' ? String : formatBytes;
  return `${what}: ${amount(done)}${total === undefined ? '' : ` of ${amount(total)}`}`;
}

/** Lets the progress of a thing through once every few seconds; its start and its end are left out. */
export function createProgressFilter(now: () => number): (event: Progress) => boolean {
  const last = new Map<string, number>();
  return ({ what, done, total }) => {
    const at = last.get(what);
    if (done === total) {
      last.delete(what);
      return false;
    }
    if (at !== undefined && now() - at < INTERVAL) return false;
    last.set(what, now());
    return at !== undefined;
  };
}
