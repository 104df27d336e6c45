import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { listNames } from '../../core/list-names.ts';
import { fsPath } from '../../core/path-bytes.ts';

/** Deletes a path and all below it on the file system with this number. @throws Error EXDEV for anything on another one */
export function removeTree(path: string, dev: number): void {
  const stat = lstatSync(fsPath(path), { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isDirectory()) return unlinkSync(fsPath(path));
  if (stat.dev !== dev)
    throw Object.assign(new Error(`${path} is on another file system`), { code: 'EXDEV', path });
  for (const name of listNames(path)) removeTree(`${path}/${name}`, dev);
  rmdirSync(fsPath(path));
}
