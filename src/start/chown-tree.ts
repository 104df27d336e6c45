import { lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { decodePath, fsPath } from '../core/path-bytes.ts';

/** Entries between two pauses in which the rest of the program gets to work. */
const BATCH = 2000;

/**
 * Gives a tree to a user. Only entries that belong to somebody else are touched; symlinks are changed themselves and never
 * followed, and what is mounted below `root` is left alone.
 * @returns how many entries were changed; a missing `root` is none
 */
export async function chownTree(
  root: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
  mountPoints: ReadonlySet<string> = readMountPoints(),
): Promise<number> {
  let changed = 0;
  let seen = 0;
  const todo = [root];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
    if (!stat) continue;
    if (stat.uid !== uid || stat.gid !== gid) {
      lchownSync(fsPath(path), uid, gid);
      changed += 1;
    }
    if (stat.isDirectory()) {
      for (const name of readdirSync(fsPath(path), { encoding: 'buffer' })) {
        const child = `${path === '/' ? '' : path}/${decodePath(name)}`;
        if (!mountPoints.has(child)) todo.push(child);
      }
    }
    seen += 1;
    if (seen % BATCH === 0) await setImmediate();
  }
  return changed;
}

/** Every path that something is mounted on (proc_pid_mountinfo(5)). */
function readMountPoints(): ReadonlySet<string> {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').trimEnd().split('\n');
  return new Set(
    lines.map((line) => {
      const bytes = (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
      return decodePath(Buffer.from(bytes, 'latin1'));
    }),
  );
}
