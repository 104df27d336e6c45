import { chmodSync, lstatSync, lutimesSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The time of every file in the image. */
const TIME = 0;

/** Gives every file below `dir` the same time and plain permissions, so that only its content tells it apart. */
export function settle(dir: string): void {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  for (const name of ['', ...names].sort().reverse()) {
    const path = join(dir, name);
    const stat = lstatSync(path);
    if (!stat.isSymbolicLink()) chmodSync(path, stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644);
    lutimesSync(path, TIME, TIME);
  }
}
