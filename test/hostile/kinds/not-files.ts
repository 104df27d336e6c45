import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { moreThanDisk, moreTogether } from '../sparse-size.ts';
import type { Place } from '../types.ts';

/** What stands where a file is expected. */
export interface NotFile {
  readonly name: string;
  readonly put: (path: string, place: Place) => void;
  /** git can keep it. */
  readonly git?: boolean;
}

const fresh = (path: string): void => {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
};
const linked = (name: string, target: (place: Place) => string): NotFile => ({
  name,
  git: true,
  put: (path, place) => {
    fresh(path);
    symlinkSync(target(place), path);
  },
});
const made = (name: string, make: (path: string) => void): NotFile => ({
  name,
  put: (path) => {
    fresh(path);
    make(path);
  },
});

/** Things that hang, never end, lead out, or are not what they are taken for. */
export const notFiles: readonly NotFile[] = [
  made('fifo', (path) => void execFileSync('mkfifo', [path])),
  made(
    'socket',
    (path) =>
      void execFileSync(
        process.execPath,
        [
          '-e',
          'require("net").createServer().listen(process.argv[1], () => process.exit(0)); process.exitCode = 0',
          // The path of a socket may be no longer than 107 bytes (unix(7)).
          basename(path),
        ],
        { stdio: 'ignore', cwd: dirname(path) },
      ),
  ),
  made('zero-device', (path) => void execFileSync('mknod', [path, 'c', '1', '5'])),
  made('random-device', (path) => void execFileSync('mknod', [path, 'c', '1', '8'])),
  made('tty-device', (path) => void execFileSync('mknod', [path, 'c', '5', '0'])),
  made('directory', (path) => mkdirSync(path)),
  made('sparse-1-tib', (path) => {
    writeFileSync(path, '');
    truncateSync(path, moreThanDisk());
  }),
  made('sparse-many', (path) => {
    mkdirSync(path);
    const { count, size } = moreTogether();
    for (let i = 0; i < count; i += 1) {
      writeFileSync(join(path, `f${i}`), '');
      truncateSync(join(path, `f${i}`), size);
    }
  }),
  { ...made('empty', (path) => writeFileSync(path, '')), git: true },
  {
    ...made('noise', (path) =>
      writeFileSync(
        path,
        Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 2) * 31) & 0xff)),
      ),
    ),
    git: true,
  },
  { ...made('long-line', (path) => writeFileSync(path, Buffer.alloc(20_000_000, 'x'))), git: true },
  linked('link-canary', ({ canary }) => `${canary}/secret`),
  linked('link-canary-up', ({ canary }) => `${'../'.repeat(16)}${canary.slice(1)}/secret`),
  linked('link-canary-link', ({ canary }) => `${canary}/link`),
  linked('link-canary-dir', ({ canary }) => `${canary}/dir`),
  linked('link-loop', () => 'loop-a/../loop-a'),
  linked('link-self', () => '.'),
  linked('link-zero', () => '/dev/zero'),
  linked('link-stdin', () => '/dev/stdin'),
  linked('link-proc-mem', () => '/proc/self/mem'),
  linked('link-proc-root', ({ canary }) => `/proc/self/root${canary}/secret`),
  linked('link-fd', () => '/proc/self/fd/0'),
  linked('link-nowhere', () => 'nowhere/at/all'),
];
