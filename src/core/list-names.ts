import { readdirSync } from 'node:fs';
import { decodePath, fsPath } from './path-bytes.ts';

/** Names in a directory as path strings, in no order. @throws what readdir throws */
export function listNames(directory: string): string[] {
  const names = readdirSync(fsPath(directory));
  // A replacement character may be one, or a byte that is not UTF-8.
  if (!names.some((name) => name.includes('\ufffd'))) return names;
  return readdirSync(fsPath(directory), { encoding: 'buffer' }).map((name) => decodePath(name));
}
