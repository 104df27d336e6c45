import { createHash } from 'node:crypto';
import {
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../support/envbuilder.ts';
import type { Plot } from './plot.ts';

/** A container for one start, whose root file system is what a hostile input may decide. */
export interface StartContainer {
  /** What the container has written beside its mounts. */
  readonly upper: string;
  /** For `runHostile`. */
  readonly program: readonly string[];
  /** What has changed that the start had to leave alone; one line for each path. */
  changes(): readonly string[];
}

/** The workspace, on a volume. */
export const FOLDER = '/workspaces/app';
/** A directory with a file that ENVBUILDER_IGNORE_PATHS names; it is no mount. */
export const KEPT = '/kept';

/** What mounts of the container are made of, and what it shares with the machine. */
const SHELL = join(import.meta.dirname, '../support/own-container.sh');
const FILES = ['resolv.conf', 'hosts', 'hostname'];
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/**
 * Lays one out in a plot, whose context becomes the workspace; the canary is mounted under the path that it has outside.
 * @param image what `unpackRuntimeImage` gave
 */
export function createStartContainer(image: string, plot: Plot): StartContainer {
  const dir = join(plot.dir, 'container');
  const upper = join(dir, 'upper');
  const root = join(image, 'root');
  mkdirSync(dir);
  symlinkSync(root, join(dir, 'image'));
  writeFileSync(
    join(dir, 'prepare.sh'),
    `mkdir -p "$root${FOLDER}" "$root${KEPT}"
     mount --bind '${plot.context}' "$root${FOLDER}"
     echo kept >"$root${KEPT}/file"
     chmod 644 "$root${KEPT}/file"
     mount --bind "$root/proc/sys" "$root/proc/sys"
     mount -o remount,bind,ro "$root/proc/sys"\n`,
  );
  const arguments_ = [dir, projectRoot, plot.canary, '../hostile/start-main.ts', 'container'];
  const look = (): ReadonlyMap<string, string> =>
    new Map([
      // The workspace is the user's, whoever that is.
      ...describeTree(plot.context, FOLDER, false),
      ...(existsSync(join(upper, KEPT)) ? describeTree(join(upper, KEPT), KEPT) : []),
      ...FILES.map((name): [string, string] => [`/etc/${name}`, describeEntry(join('/etc', name))]),
      ...DEVICES.map((name): [string, string] => [`/dev/${name}`, describeEntry(join('/dev', name))]),
      ['the name of the machine', hostname()],
    ]);
  const before = new Map([
    ...look(),
    [join(KEPT, 'file'), `0${(constants.S_IFREG | 0o644).toString(8)} 0:0 ${content(Buffer.from('kept\n'))}`],
  ]);
  return {
    upper,
    program: ['unshare', '--mount', '--pid', '--fork', '--kill-child', '/bin/sh', SHELL, ...arguments_],
    changes: () => {
      const now = look();
      const lines = [...before]
        .filter(([path, was]) => now.get(path) !== was)
        .map(([path, was]) => `${path}: ${was} -> ${now.get(path) ?? 'gone'}`);
      const more = [...now.keys()].filter((path) => !before.has(path)).map((path) => `${path} was made`);
      return [...lines, ...more, ...ownFiles(upper, root), ...throughMounts(dir, upper, plot)];
    },
  };
}

/** Files of our own program that the container has put something else in the place of. */
function ownFiles(upper: string, root: string): readonly string[] {
  const own = join(upper, '.envbuilder');
  if (!existsSync(own)) return [];
  if (!lstatSync(own).isDirectory()) return ['/.envbuilder is no directory'];
  return readdirSync(own, { recursive: true })
    .map((name) => join('.envbuilder', String(name)))
    .filter((path) => {
      const below = lstatSync(join(root, path), { throwIfNoEntry: false });
      return below && !(below.isDirectory() && lstatSync(join(upper, path)).isDirectory());
    })
    .map((path) => `/${path} was replaced`);
}

/** What lies below the places of mounts, and the files that are mounted there. */
function throughMounts(dir: string, upper: string, plot: Plot): readonly string[] {
  const below = [FOLDER, plot.canary, '/proc', '/sys', '/dev', '/etc/hosts']
    .map((path) => join(upper, path))
    .filter((path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat && (stat.isDirectory() ? readdirSync(path).length > 0 : stat.size > 0);
    })
    .map((path) => `${path} is not empty below its mount`);
  const files = FILES.filter((name) => {
    const made = join(dir, name);
    return existsSync(made) && readFileSync(made, 'latin1') !== readOr(join('/etc', name));
  });
  return [...below, ...files.map((name) => `the mounted /etc/${name} was written to`)];
}

const readOr = (path: string): string => (existsSync(path) ? readFileSync(path, 'latin1') : '');

function describeTree(dir: string, as: string, owner = true): readonly [string, string][] {
  return readdirSync(dir, { recursive: true }).map((name) => [
    join(as, String(name)),
    describeEntry(join(dir, String(name)), owner),
  ]);
}

function describeEntry(path: string, owner = true): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return 'nothing';
  const of = `0${stat.mode.toString(8)}${owner ? ` ${stat.uid}:${stat.gid}` : ''}`;
  if (stat.isSymbolicLink()) return `${of} -> ${readlinkSync(path)}`;
  return stat.isFile() ? `${of} ${content(readFileSync(path))}` : `${of} ${stat.rdev}`;
}

function content(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
