import { readlinkSync } from 'node:fs';
import { digestOf } from '../core/digest.ts';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import { S_IF } from '../sys/constants.ts';
import { FACT, inodeOf, isSocket, type PathFacts, secondsOf, sizeOf } from '../sys/path-facts.ts';
import { factsKey, type HashMemo } from './file-hash-memo.ts';
import type { ModeView } from './mode-view.ts';
import type { TreeNode, TreeNodeType } from './types.ts';

const NOTHING = digestOf('');

export interface NodeOptions {
  /** Host directory; it is only read. */
  readonly root: string;
  readonly memo?: HashMemo;
  /** Reads the extended attributes that a copy keeps. */
  readonly xattrs?: (hostPath: string) => ReadonlyMap<string, Buffer> | undefined;
  /** How modes are taken; as they are when left out. */
  readonly modes?: ModeView;
  /** Whether a socket is an empty file, as it is to Docker in a context; otherwise there is none. */
  readonly sockets?: boolean;
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
 * A function that makes a path with its facts a node of a tree; undefined for a socket, where there are none.
 * @throws what node:fs throws where a link or attributes cannot be read
 */
export function createNodes({
  root,
  memo,
  xattrs,
  modes,
  sockets = false,
}: NodeOptions): (path: string, facts: PathFacts) => TreeNode | undefined {
  return (path, facts) => {
    const socket = sockets && isSocket(facts);
    const type = socket ? 'file' : TYPES.get(facts[FACT.mode]! & S_IF.MT);
    if (type === undefined) return undefined;
    const mode = facts[FACT.mode]! & 0o7777;
    const host = path === '' ? root : `${root}/${path}`;
    const symlink = type === 'symlink';
    const linkname = symlink ? decodePath(readlinkSync(fsPath(host), { encoding: 'buffer' })) : '';
    const device = type === 'char' || type === 'block' ? facts[FACT.rdev]! : 0;
    const key = type === 'file' ? factsKey(facts) : undefined;
    const known = key === undefined ? undefined : memo?.get(key);
    const digest = socket ? NOTHING : known?.digest;
    const digestIfKnown = digest === undefined ? {} : { digest };
    const attributes = symlink || known?.plain === true ? undefined : xattrs?.(host);
    return {
      path,
      type,
      mode: modes ? modes.mode(mode, type) : mode,
      uid: facts[FACT.uid]!,
      gid: facts[FACT.gid]!,
      size: type === 'file' && !socket ? sizeOf(facts) : 0,
      mtime: secondsOf(facts, 'mtime'),
      mtimeNsec: facts[FACT.mtime + 2]!,
      linkname,
      devmajor: device >>> 20,
      devminor: device & 0xfffff,
      ...(attributes && attributes.size > 0 ? { xattrs: attributes } : {}),
      ...(key === undefined ? {} : { version: { key, ...digestIfKnown } }),
      ...(type === 'file' && facts[FACT.nlink]! > 1 ? { hardlink: inodeOf(facts) } : {}),
    };
  };
}
