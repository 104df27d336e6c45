import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { Readable } from 'node:stream';
import { canonicalDigest } from '../core/canonical.ts';
import { once } from '../core/concurrency.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError, SHORTER } from '../core/error.ts';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import { tooLong } from '../core/too-long.ts';
import { createOpenPlain, type OpenPlain } from '../sys/beneath.ts';
import { O_PATH, pathError } from '../sys/descriptor.ts';
import { contentOf, type HoleCalls } from '../sys/holes.ts';
import { factsOf, isDirectory, isFile, isSocket, type PathFacts, rowAt, sizeOf } from '../sys/path-facts.ts';
import { resolveLinks } from '../sys/resolve-links.ts';
import { checkHoles, type HoledFile, hasRoomForAll } from '../sys/room.ts';
import { sharedSyscalls } from '../sys/syscalls.ts';
import type { Syscalls } from '../sys/types.ts';
import type { AnswerMemo } from './answer-memo.ts';
import { sameState } from './file-hash-memo.ts';
import { hashAhead } from './hash-ahead.ts';
import type { IgnoreMatcher, Judgement } from './ignore-matcher.ts';
import { inPathOrder, listByNode } from './list-files.ts';
import { RACY_SECONDS } from './memo-file.ts';
import { createNodeList, type NodeList } from './node-list.ts';
import { readSmall, SMALL } from './small-files.ts';
import { createNodeMaker, type NodeOptions } from './tree-node.ts';
import { type Listed, type TreeState, type TreeStateDeps, treeState } from './tree-state.ts';
import type { Brought, SourceTree, TreeNode } from './types.ts';

export interface DirectoryTreeOptions extends NodeOptions {
  readonly name: string;
  readonly ignore?: IgnoreMatcher;
  readonly answers?: AnswersOptions;
  /** How files and directories are opened; walked part by part unless something else is said. */
  readonly openPlain?: OpenPlain;
  /** Where its files are to be copied to, by which the holes of sparse ones are judged; they are not when left out. */
  readonly room?: RoomOptions;
}

/** How checkRoom finds holes, and the disk that it looks at. */
export interface RoomOptions {
  readonly disk: string;
  readonly syscalls: HoleCalls;
}

/** Remembers what was asked of many files at once. */
export interface AnswersOptions {
  readonly memo: AnswerMemo;
  readonly syscalls: Pick<Syscalls, 'listDirectory'>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

type Directories = ReadonlyMap<string, Listed>;

/** A path that was added to a list. */
interface Entered {
  readonly row: number;
  readonly judged: Judgement | undefined;
}

const CHUNK = 1024 * 1024;
/** Reads holes like all else. */
const AS_A_WHOLE: HoleCalls = { dataSegments: (_, size) => [[0, size]] };
const NOTHING = digestOf('');
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;

/** A host directory as a source of files. Symlinks are never followed out of it. */
export function createDirectoryTree(options: DirectoryTreeOptions): SourceTree {
  const { root, ignore, memo, openPlain = createOpenPlain(sharedSyscalls()) } = options;
  const host = (path: string): string => (path === '' ? root : `${root}/${path}`);
  // The directory itself may be named by a link.
  const realRoot = once(() => realpathSync(root));
  const open = (path: string, flags: number): number =>
    openPlain(path === '' ? realRoot() : `${realRoot()}/${path}`, flags);
  const openReading = (path: string): number => open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  const openFile = (path: string): number =>
    guarded(path, () => {
      const fd = openReading(path);
      if (fstatSync(fd).isFile()) return fd;
      closeSync(fd);
      throw pathError('ENOTREG', host(path));
    });
  /** Of a socket that counts as an empty file there is nothing to read. */
  const openSocket = (path: string): number => {
    const fd = open(path, O_PATH | O_NOFOLLOW);
    if (fstatSync(fd).isSocket()) return fd;
    closeSync(fd);
    throw pathError('ENOTREG', host(path));
  };
  const openNode = ({ path, version }: TreeNode): number =>
    version && isSocket(version) && lstat(path)?.isSocket()
      ? guarded(path, () => openSocket(path))
      : openFile(path);
  const guarded = <T>(path: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unreadable(options.name, host(path), error);
    }
  };

  const nodes = createNodeMaker(options);

  const lstat = (path: string): BigIntStats | undefined =>
    lstatSync(fsPath(host(path)), { bigint: true, throwIfNoEntry: false });

  const linkAt = (path: string): string | undefined =>
    lstat(path)?.isSymbolicLink()
      ? decodePath(readlinkSync(fsPath(host(path)), { encoding: 'buffer' }))
      : undefined;

  const listed = (path: string, directories: Directories | undefined): Listed => {
    const known = directories?.get(path);
    if (known) return known;
    if (!options.answers) return listByNode(open(path, O_RDONLY | O_DIRECTORY));
    const { names, rows } = options.answers.syscalls.listDirectory(path, open);
    return { names: Buffer.from(names), rows: rows.slice() };
  };

  const below = (start: string, directories?: Directories): NodeList => {
    const list = createNodeList(nodes.make);
    /** @returns nothing for what is not in the tree */
    const enter = (path: string, facts: PathFacts, judged: Judgement | undefined): Entered | undefined => {
      if (judged?.excluded && !(isDirectory(facts) && ignore?.mayHold(path))) return undefined;
      if (!nodes.isNode(facts)) return undefined;
      return {
        row: list.add(
          path,
          facts,
          guarded(path, () => nodes.extras(path, facts)),
        ),
        judged,
      };
    };
    const descend = (path: string, { row, judged }: Entered): void => {
      const before = list.length;
      const entered = new Map<string, Entered>();
      const listing = guarded(path, () => listed(path, directories));
      for (const { name, index, below } of inPathOrder(listing)) {
        const inside = path === '' ? name : `${path}/${name}`;
        const known = entered.get(name);
        if (below && known) descend(inside, known);
        if (below) continue;
        const facts = rowAt(listing.rows, index);
        const found = enter(inside, facts, ignore?.match(inside, judged?.state));
        if (found && isDirectory(facts)) entered.set(name, found);
      }
      // An excluded directory stays only as the way to something that is wanted again.
      if (judged?.excluded && list.length === before) list.drop(row);
    };
    const stat = guarded(start, () => lstat(start));
    if (!stat) return list;
    const facts = factsOf(stat);
    const top = enter(start, facts, start === '' ? undefined : ignore?.judge(start));
    if (top && isDirectory(facts)) descend(start, top);
    return list;
  };

  const stateOf = (paths: readonly string[], syscalls: TreeStateDeps['syscalls']): TreeState | undefined => {
    try {
      return treeState(paths, { root, open, syscalls, ...(ignore ? { ignore } : {}) });
    } catch {
      // Whoever lists the files then says what is wrong with them.
      return undefined;
    }
  };

  /** Files that take part in a sum of holes: each of several names once, as they are copied. */
  const holed = function* (nodes: Iterable<TreeNode>): Generator<HoledFile> {
    const links = new Set<string>();
    for (const { path, type, size, hardlink } of nodes) {
      if (type !== 'file' || size === 0 || (hardlink !== undefined && links.has(hardlink))) continue;
      if (hardlink !== undefined) links.add(hardlink);
      yield { path, size, open: () => openFile(path) };
    }
  };
  const { room } = options;
  const checkRoom = ({ bytes, nodes }: Brought, disk: string, syscalls: HoleCalls): void => {
    if (!hasRoomForAll(bytes, disk)) checkHoles(holed(nodes), { what: options.name, disk, syscalls });
  };
  /** Of files with several names, so that each is read once whether or not it is remembered. */
  const digests = new Map<string, { readonly facts: PathFacts; readonly digest: Digest }>();
  const known = ({ version, hardlink }: TreeNode): Digest | undefined => {
    if (!version) return undefined;
    const linked = hardlink === undefined ? undefined : digests.get(hardlink);
    return linked && sameState(linked.facts, version) ? linked.digest : memo?.get(version)?.digest;
  };

  const tree: SourceTree = {
    name: options.name,
    ...(room && { checkRoom: (files, disk = room.disk) => checkRoom(files, disk, room.syscalls) }),
    list: async (path) => below(path),
    stat: async (path) => {
      const real = guarded(path, () => {
        const found = resolveLinks(path, linkAt, { followLast: false });
        if (found === undefined) throw new Error('too many levels of symlinks');
        return found;
      });
      const stat = guarded(path, () => lstat(real));
      if (!stat) return undefined;
      if (real !== '' && ignore?.matches(real) && (!stat.isDirectory() || below(real).length === 0))
        return undefined;
      const facts = factsOf(stat);
      if (!nodes.isNode(facts)) return undefined;
      return guarded(path, () => nodes.make(real, facts, nodes.extras(real, facts)));
    },
    remembered: async (paths, question, compute) => {
      const begin = (options.answers?.now ?? Date.now)() / 1000;
      const state = options.answers && stateOf(paths, options.answers.syscalls);
      if (!options.answers || !state) return compute(tree);
      const patterns = ignore?.patterns ?? [];
      const taken = { modes: options.modes?.name, sockets: options.sockets === true };
      const asked = canonicalDigest({ question, paths, patterns, ...taken });
      const known = options.answers.memo.get(asked, state.digest);
      if (known !== undefined) {
        memo?.keepUnused();
        return known;
      }
      const answer = await compute({ ...tree, list: async (path) => below(path, state.directories) });
      if (begin - state.newest > RACY_SECONDS) options.answers.memo.set(asked, state.digest, answer);
      return answer;
    },
    ...(memo && {
      hashAhead: (nodes) =>
        hashAhead(nodes, { root: realRoot(), memo, xattrs: options.xattrs !== undefined }),
    }),
    openFile: openNode,
    plainRoot: realRoot,
    open: (node) =>
      node.version && isSocket(node.version)
        ? Readable.from([])
        : createReadStream('', { fd: openFile(node.path), highWaterMark: CHUNK }),
    checkUnchanged: (node, file) => {
      const stat = guarded(node.path, () =>
        file === undefined ? lstat(node.path) : fstatSync(file, { bigint: true }),
      );
      if (stat && node.version && sameState(factsOf(stat), node.version)) return;
      throw new AppError('CONTEXT', `${host(node.path)} changed while the build was using it`, {
        where: { path: host(node.path) },
        hint: 'build again when nothing writes to the context any more',
      });
    },
    contentDigest: async (node) => {
      const { path, version, hardlink } = node;
      if (version && isSocket(version)) return NOTHING;
      const before = known(node);
      if (before) return before;
      return guarded(path, () => {
        const begun = memo?.now();
        const { facts, digest } = hashFile(openReading(path), host(path), room?.syscalls ?? AS_A_WHOLE);
        if (hardlink !== undefined) digests.set(hardlink, { facts, digest });
        // An attribute that came after the listing has changed the ctime.
        const plain = !!options.xattrs && !node.xattrs && version !== undefined && sameState(facts, version);
        memo?.set(facts, { digest, plain }, begun);
        return digest;
      });
    },
  };
  return tree;
}

/** Closes the file. @throws Error ENOTREG where it is none */
function hashFile(
  fd: number,
  path: string,
  syscalls: HoleCalls,
): { readonly facts: PathFacts; readonly digest: Digest } {
  try {
    const facts = factsOf(fstatSync(fd, { bigint: true }));
    if (!isFile(facts)) throw pathError('ENOTREG', path);
    const size = sizeOf(facts);
    if (size <= SMALL) return { facts, digest: digestOf(readSmall(fd, size)) };
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size));
    for (const part of contentOf(fd, size, buffer, syscalls)) hash.update(part);
    return { facts, digest: `sha256:${hash.digest('hex')}` };
  } finally {
    closeSync(fd);
  }
}

function unreadable(tree: string, path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const long = tooLong(error);
  const reason = error instanceof Error ? error.message : String(error);
  const what = long === undefined ? `${path} in ${tree}: ${reason}` : `what is in ${tree}: ${long}`;
  return new AppError('CONTEXT', `cannot read ${what}`, {
    cause: error,
    ...(long === undefined ? { where: { path } } : {}),
    hint: long === undefined ? 'make it readable, or leave it out with .dockerignore' : SHORTER,
  });
}
