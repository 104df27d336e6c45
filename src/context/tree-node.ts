import { readlinkSync } from 'node:fs';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import { S_IF } from '../sys/constants.ts';
import { FACT, inodeOf, type PathFacts, secondsOf, sizeOf } from '../sys/path-facts.ts';
import { factsKey, type HashMemo } from './file-hash-memo.ts';
import type { ModeView } from './mode-view.ts';
import type { TreeNode, TreeNodeType } from './types.ts';

export interface NodeOptions {
  /** Host directory; it is only read. */
  readonly root: string;
  readonly memo?: HashMemo;
  /** Reads the extended attributes that a copy keeps. */
  readonly xattrs?: (hostPath: string) => ReadonlyMap<string, Buffer> | undefined;
  /** How modes are taken; as they are when left out. */
  readonly modes?: ModeView;
}

/** By the bits of st_mode. */
const TYPES: ReadonlyMap<number, TreeNodeType> = new Map([
  [S_IF.REG, 'file'],
  [S_IF.DIR, 'dir'],
  [S_IF.LNK, 'symlink'],
  [S_IF.CHR, 'char'],
  [S_IF.BLK, 'block'],
  [S_IF.IFO, 'fifo'],
]);

/**
 * A function that makes a path with its facts a node of a tree; undefined for a socket.
 * @throws what node:fs throws where a link or attributes cannot be read
 */
export function createNodes({
  root,
  memo,
  xattrs,
  modes,
}: NodeOptions): (path: string, facts: PathFacts) => TreeNode | undefined {
  return (path, facts) => {
    const type = TYPES.get(facts[FACT.mode]! & S_IF.MT);
    if (type === undefined) return undefined;
    const mode = facts[FACT.mode]! & 0o7777;
    const host = path === '' ? root : `${root}/${path}`;
    const symlink = type === 'symlink';
    const linkname = symlink ? decodePath(readlinkSync(fsPath(host), { encoding: 'buffer' })) : '';
    const device = type === 'char' || type === 'block' ? facts[FACT.rdev]! : 0;
    const key = type === 'file' ? factsKey(facts) : undefined;
    const known = key === undefined ? undefined : memo?.get(key);
    const attributes = symlink || known?.plain === true ? undefined : xattrs?.(host);
    return {
      path,
      type,
      mode: modes ? modes.mode(mode, type) : mode,
      uid: facts[FACT.uid]!,
      gid: facts[FACT.gid]!,
      size: type === 'file' ? sizeOf(facts) : 0,
      mtime: secondsOf(facts, 'mtime'),
      mtimeNsec: facts[FACT.mtime + 2]!,
      linkname,
      devmajor: device >>> 20,
      devminor: device & 0xfffff,
      ...(attributes && attributes.size > 0 ? { xattrs: attributes } : {}),
      ...(key === undefined ? {} : { version: known ? { key, digest: known.digest } : { key } }),
      ...(type === 'file' && facts[FACT.nlink]! > 1 ? { hardlink: inodeOf(facts) } : {}),
    };
  };
}
