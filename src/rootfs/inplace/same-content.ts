import { closeSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';

const CHUNK = 1 << 20;
const EXECUTABLE = 0o111;

/**
 * A function that tells whether two paths that exist are the same to whoever reads or runs them: type, content, the bits to
 * execute; whose they are and how old does not count. Files that have not changed are not read again.
 */
export function createSameContent(): (a: string, b: string) => boolean {
  const known = new Map<string, { readonly state: string; readonly same: boolean }>();
  return (a, b) => {
    const [one, other] = [lstatSync(fsPath(a), { bigint: true }), lstatSync(fsPath(b), { bigint: true })];
    if (one.isSymbolicLink() && other.isSymbolicLink()) return linkAt(a).equals(linkAt(b));
    if (!one.isFile() || !other.isFile() || one.size !== other.size) return false;
    if ((Number(one.mode) & EXECUTABLE) !== (Number(other.mode) & EXECUTABLE)) return false;
    const state = [one, other].map(({ ino, ctimeNs }) => `${ino} ${ctimeNs}`).join(' ');
    const key = `${a}\0${b}`;
    const before = known.get(key);
    if (before?.state === state) return before.same;
    const same = sameBytes(a, b);
    known.set(key, { state, same });
    return same;
  };
}

function linkAt(path: string): Buffer {
  return readlinkSync(fsPath(path), { encoding: 'buffer' });
}

function sameBytes(a: string, b: string): boolean {
  const files: number[] = [];
  try {
    for (const path of [a, b]) files.push(openSync(fsPath(path), 'r'));
    const [one, other] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
    for (;;) {
      const [left, right] = [readFully(files[0]!, one), readFully(files[1]!, other)];
      if (left !== right || !one.subarray(0, left).equals(other.subarray(0, right))) return false;
      if (left < CHUNK) return true;
    }
  } finally {
    for (const fd of files) closeSync(fd);
  }
}

function readFully(fd: number, buffer: Buffer): number {
  let filled = 0;
  for (;;) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, null);
    filled += count;
    if (count === 0 || filled === buffer.length) return filled;
  }
}
