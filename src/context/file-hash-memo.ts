import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Digest, hexOf } from '../core/digest.ts';

/** What says that a file is the one that was hashed. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** What is known of a file that has not changed since it was hashed. */
export interface FileFacts {
  readonly digest: Digest;
  /** Whether it is known to have no extended attributes that a copy keeps; setting one changes the ctime. */
  readonly plain: boolean;
}

/** Facts of files that have not changed since they were hashed. */
export interface HashMemo {
  /** @param key of fileKey */
  get(key: string): FileFacts | undefined;
  set(file: FileIdentity, facts: FileFacts): void;
  /** Writes the memo for the next process, when it has a file and learnt something. */
  save(): void;
}

/** A file that was written this shortly before it was hashed may be written again within the same tick of its clock. */
const RACY_NS = 2_000_000_000n;
const HEADER = 'envbuilder file hashes 2';
const MARKS = { plain: '-', attributes: '+' } as const;
/** Bytes of a line after the key: a space, the mark, a space, the digest in hex. */
const TAIL = 3 + 64;
const HEX = /^[0-9a-f]{64}$/;

/**
 * @param file where the memo is kept between processes; a damaged one is ignored, and one that cannot be written is not
 * written
 * @param now nanoseconds since the epoch
 */
export function createHashMemo(
  file?: string,
  now: () => bigint = () => BigInt(Date.now()) * 1_000_000n,
): HashMemo {
  let text: string | undefined;
  let known: Map<string, FileFacts> | undefined;
  const used: string[] = [];
  let learnt = false;
  /** Where the line of the next file begins, as long as they are asked for in the order in which they were written. */
  let next = HEADER.length + 1;
  const load = (): string => {
    text ??= file === undefined ? '' : read(file);
    return text;
  };
  const all = (): Map<string, FileFacts> => {
    known ??= parse(load());
    return known;
  };
  const inOrder = (key: string): FileFacts | undefined => {
    const split = next + key.length;
    if (known || !load().startsWith(key, next)) return undefined;
    const facts = factsAt(load(), split);
    if (facts) next = split + TAIL + 1;
    return facts;
  };
  return {
    get: (key) => {
      const facts = inOrder(key) ?? all().get(key);
      if (facts) used.push(key);
      return facts;
    },
    set: (identity, facts) => {
      if (now() - identity.ctimeNs < RACY_NS || now() - identity.mtimeNs < RACY_NS) return;
      const key = fileKey(identity);
      all().set(key, facts);
      used.push(key);
      learnt = true;
    },
    save: () => {
      if (file !== undefined && learnt) write(file, new Set(used), all());
      learnt = false;
    },
  };
}

/** Names a file and its state; another one means that it may have changed. */
export function fileKey({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

/** The text of a memo, '' when there is none. */
function read(file: string): string {
  try {
    const text = readFileSync(file, 'latin1');
    return text.startsWith(`${HEADER}\n`) ? text : '';
  } catch {
    // Only a memo: without it files are hashed again.
    return '';
  }
}

function parse(text: string): Map<string, FileFacts> {
  const found = new Map<string, FileFacts>();
  for (let at = HEADER.length + 1; ; ) {
    const end = text.indexOf('\n', at);
    if (end === -1) return found;
    const split = end - TAIL;
    const facts = split > at ? factsAt(text, split) : undefined;
    if (facts) found.set(text.slice(at, split), facts);
    at = end + 1;
  }
}

/** What stands behind the key that ends here, when a key ends here and the line is whole. */
function factsAt(text: string, split: number): FileFacts | undefined {
  const end = split + TAIL;
  const hex = text.slice(split + 3, end);
  if (text[split] !== ' ' || text[end] !== '\n' || !HEX.test(hex)) return undefined;
  return { digest: `sha256:${hex}`, plain: text[split + 1] === MARKS.plain };
}

function write(file: string, keys: ReadonlySet<string>, facts: ReadonlyMap<string, FileFacts>): void {
  const half = `${file}.tmp-${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const lines = [...keys].map((key) => {
      const { digest, plain } = facts.get(key)!;
      return `${key} ${plain ? MARKS.plain : MARKS.attributes} ${hexOf(digest)}`;
    });
    writeFileSync(half, [HEADER, ...lines, ''].join('\n'), { mode: 0o600 });
    renameSync(half, file);
  } catch {
    rmSync(half, { force: true });
  }
}
