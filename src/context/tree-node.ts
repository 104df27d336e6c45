import { readlinkSync } from 'node:fs';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import { S_IF } from '../sys/constants.ts';
import { FACT, inodeOf, isSocket, isSymlink, type PathFacts, secondsOf, sizeOf } from '../sys/path-facts.ts';
import type { HashMemo } from './file-hash-memo.ts';
import type { ModeView } from './mode-view.ts';
import type { NodeExtras } from './node-list.ts';
import type { TreeNode, TreeNodeType } from './types.ts';

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

/** Makes nodes of a tree out of what lstat tells. */
export interface NodeMaker {
  /** Whether facts are of something that is in a tree. */
  isNode(facts: PathFacts): boolean;
  /**
   * What has to be read of a path besides.
   * @throws what node:fs throws where a link or attributes cannot be read
   */
  extras(path: string, facts: PathFacts): NodeExtras | undefined;
  make(path: string, facts: PathFacts, extras: NodeExtras | undefined): TreeNode;
}

/** @see NodeMaker */
export function createNodeMaker({ root, memo, xattrs, modes, sockets = false }: NodeOptions): NodeMaker {
  const typeOf = (facts: PathFacts): TreeNodeType | undefined =>
    sockets && isSocket(facts) ? 'file' : TYPES.get(facts[FACT.mode]! & S_IF.MT);
  return {
    isNode: (facts) => typeOf(facts) !== undefined,
    extras: (path, facts) => {
      const host = path === '' ? root : `${root}/${path}`;
      if (isSymlink(facts))
        return { linkname: decodePath(readlinkSync(fsPath(host), { encoding: 'buffer' })) };
      if (!xattrs || (typeOf(facts) === 'file' && memo?.get(facts)?.plain === true)) return undefined;
      const attributes = xattrs(host);
      return attributes && attributes.size > 0 ? { xattrs: attributes } : undefined;
    },
    make: (path, facts, extras) => {
      const type = typeOf(facts)!;
      const file = type === 'file';
      const mode = facts[FACT.mode]! & 0o7777;
      const device = type === 'char' || type === 'block' ? facts[FACT.rdev]! : 0;
      const node: { -readonly [F in keyof TreeNode]: TreeNode[F] } = {
        path,
        type,
        mode: modes ? modes.mode(mode, type) : mode,
        uid: facts[FACT.uid]!,
        gid: facts[FACT.gid]!,
        size: file && !isSocket(facts) ? sizeOf(facts) : 0,
        mtime: secondsOf(facts, 'mtime'),
        mtimeNsec: facts[FACT.mtime + 2]!,
        linkname: extras?.linkname ?? '',
        devmajor: device >>> 20,
        devminor: device & 0xfffff,
      };
      // A spread takes longer than all the rest.
      if (extras?.xattrs) node.xattrs = extras.xattrs;
      if (file) node.version = facts;
      if (file && facts[FACT.nlink]! > 1) node.hardlink = inodeOf(facts);
      return node;
    },
  };
}
