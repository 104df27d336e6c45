import { chmodSync, lchownSync } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';
import { splitTime } from '../../sys/file-stat.ts';
import type { Syscalls } from '../../sys/types.ts';

/** What owners, modes, attributes and times of directories are copied with. */
export interface FactsDeps {
  readonly syscalls: Pick<Syscalls, 'lutimes' | 'listXattrs' | 'getXattr' | 'setXattr' | 'removeXattr'>;
}

/** Gives a directory the owner, mode, attributes and times of another. */
export function copyDirectoryFacts(
  source: string,
  target: string,
  stat: { readonly uid: bigint; readonly gid: bigint; readonly mode: bigint; readonly mtimeNs: bigint },
  { syscalls }: FactsDeps,
): void {
  lchownSync(fsPath(target), Number(stat.uid), Number(stat.gid));
  chmodSync(fsPath(target), Number(stat.mode & 0o7777n));
  const wanted = new Map(userXattrs(source, syscalls).map((name) => [name, syscalls.getXattr(source, name)]));
  for (const name of userXattrs(target, syscalls)) if (!wanted.has(name)) syscalls.removeXattr(target, name);
  for (const [name, value] of wanted) if (value) syscalls.setXattr(target, name, value);
  const { seconds, nanoseconds } = splitTime(stat.mtimeNs);
  syscalls.lutimes(target, Number(seconds), Number(nanoseconds));
}

function userXattrs(path: string, syscalls: FactsDeps['syscalls']): string[] {
  return syscalls.listXattrs(path).filter((name) => name.startsWith('user.'));
}
