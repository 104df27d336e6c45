import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fsPath } from '../../core/path-bytes.ts';
import { resolveInRoot } from '../resolve-in-root.ts';
import type { ForeignPlace } from './foreign-places.ts';
import { lookAt } from './look-at.ts';

/** A foreign place that the image has not, with the directories on the way to it that it has not either. */
interface Missing {
  readonly place: ForeignPlace;
  readonly paths: readonly string[];
}

/** What a RUN is told to do. */
export interface Told {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Tells of places that a RUN would have had to make itself, had they not been there. */
export interface FoundPlaces {
  /** After the RUN, while its tree is still the root. */
  after(): readonly { readonly place: ForeignPlace; readonly path: string }[];
}

/** Programs that make directories, and say nothing of those that are there. */
const MAKERS = /\b(?:mkdir|install)\b/;

/**
 * To make a directory that is there already changes nothing that could be noticed. So a command counts as having wanted to
 * make a place when it makes directories and names it, or when it gives it to a new user as home.
 * @param dir where the tree lies before it becomes the root
 */
export function findPlaces(dir: string, places: readonly ForeignPlace[], told: Told): FoundPlaces {
  const missing = places.flatMap((place) => missingAt(dir, place));
  if (missing.length === 0) return { after: () => [] };
  const text = [...told.argv, ...Object.values(told.env)].join('\n');
  const makes = MAKERS.test(text);
  const homes = homesIn(dir);
  return {
    after: () => {
      const later = [...homesIn('/')].filter((home) => !homes.has(home));
      return missing.flatMap(({ place, paths }) => {
        const path = paths.find((one) => later.includes(one) || (makes && names(text, one)));
        return path === undefined ? [] : [{ place, path }];
      });
    },
  };
}

function missingAt(dir: string, place: ForeignPlace): Missing[] {
  if (!place.directory) return [];
  const paths: string[] = [];
  for (let path = place.path; path !== '/'; path = posix.dirname(path)) {
    if (lookAt(resolveInRoot(dir, path, { followLast: true }))) break;
    paths.push(path);
  }
  return paths.length === 0 ? [] : [{ place, paths }];
}

/** Whether a path stands in a text as a whole; one that goes on below it makes what a RUN changes there. */
function names(text: string, path: string): boolean {
  for (let at = text.indexOf(path); at !== -1; at = text.indexOf(path, at + 1))
    if (/^\/*(?![\w./-])/.test(text.slice(at + path.length))) return true;
  return false;
}

function homesIn(root: string): ReadonlySet<string> {
  try {
    const file = resolveInRoot(root, '/etc/passwd', { followLast: true });
    const lines = readFileSync(fsPath(file), 'utf8').split('\n');
    return new Set(
      lines.map((line) => line.split(':')[5] ?? '').map((home) => home.replace(/(?<=.)\/+$/, '')),
    );
  } catch {
    return new Set();
  }
}
