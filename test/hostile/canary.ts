import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** What stands in every file of a canary, and so must stand in nothing that a run prints or makes. */
export const MARK = 'canary-b1rd-of-the-host';

/** A directory that no run may change or read. */
export interface Canary {
  readonly dir: string;
  /** What is different from when it was made, one line for each path; empty when nothing is. */
  changes(): readonly string[];
}

/** Long ago: reading a file then shows in its time of access, on every file system that keeps any. */
const LONG_AGO = new Date('2001-01-01T00:00:00Z');

/**
 * Makes one, with the kinds of files that an escape would touch.
 * @param around an existing directory: its other names count as well, but for those in `without`
 */
export function createCanary(around: string, without: readonly string[]): Canary {
  const dir = join(around, 'canary');
  mkdirSync(join(dir, 'dir'), { recursive: true });
  for (const name of ['secret', 'dir/file', 'devcontainer-features.env', 'passwd', 'Dockerfile', 'env']) {
    writeFileSync(join(dir, name), `${MARK}\n`, { mode: 0o600 });
  }
  symlinkSync('secret', join(dir, 'link'));
  const paths = (): readonly string[] => [
    ...readdirSync(around).filter((name) => !without.includes(name)),
    ...readdirSync(dir, { recursive: true }).map((name) => join('canary', String(name))),
  ];
  const age = (): void => {
    for (const path of [...paths(), '.']) {
      const stat = lstatSync(join(around, path));
      if (stat.isFile()) utimesSync(join(around, path), LONG_AGO, stat.mtime);
    }
  };
  const snapshot = (): ReadonlyMap<string, string> =>
    new Map(paths().map((path) => [path, describe(join(around, path))]));
  age();
  let before = snapshot();
  return {
    dir,
    changes: () => {
      const after = snapshot();
      const names = [...new Set([...before.keys(), ...after.keys()])].sort();
      const lines = names
        .filter((name) => before.get(name) !== after.get(name))
        .map((name) => `${name}: ${before.get(name) ?? 'nothing'} -> ${after.get(name) ?? 'gone'}`);
      if (lines.length > 0) {
        age();
        before = snapshot();
      }
      return lines;
    },
  };
}

/** Everything that a change leaves a trace in; the time of change cannot be set by anyone. */
function describe(path: string): string {
  const { mode, uid, gid, nlink, ino, size, mtimeNs, ctimeNs, atimeNs } = lstatSync(path, { bigint: true });
  const file = (mode & 0o170000n) === 0o100000n;
  const target = (mode & 0o170000n) === 0o120000n ? readlinkSync(path) : '';
  return [
    `0${mode.toString(8)}`,
    `${uid}:${gid}`,
    `${nlink} names`,
    `inode ${ino}`,
    `${size} bytes`,
    `changed ${mtimeNs}/${ctimeNs}`,
    ...(file ? [`read ${atimeNs}`] : []),
    target,
  ].join(' ');
}
