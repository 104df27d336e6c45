import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Digest, isDigest } from '../core/digest.ts';

/** What says that a file is the one that was hashed. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Content digests of files that have not changed since they were hashed. */
export interface HashMemo {
  /** @param key of fileKey */
  get(key: string): Digest | undefined;
  set(file: FileIdentity, digest: Digest): void;
  /** Writes the memo for the next process, when it has a file and learnt something. */
  save(): void;
}

/** A file that was written this shortly before it was hashed may be written again within the same tick of its clock. */
const RACY_NS = 2_000_000_000n;
const HEADER = 'envbuilder file hashes 1';

/**
 * @param file where the memo is kept between processes; a damaged one is ignored, and one that cannot be written is not
 * written
 * @param now nanoseconds since the epoch
 */
export function createHashMemo(
  file?: string,
  now: () => bigint = () => BigInt(Date.now()) * 1_000_000n,
): HashMemo {
  let known: Map<string, Digest> | undefined;
  const used = new Map<string, Digest>();
  let learnt = false;
  const load = (): Map<string, Digest> => {
    known ??= file === undefined ? new Map() : read(file);
    return known;
  };
  return {
    get: (key) => {
      const digest = used.get(key) ?? load().get(key);
      if (digest !== undefined) used.set(key, digest);
      return digest;
    },
    set: (identity, digest) => {
      if (now() - identity.ctimeNs < RACY_NS || now() - identity.mtimeNs < RACY_NS) return;
      used.set(fileKey(identity), digest);
      learnt = true;
    },
    save: () => {
      if (file !== undefined && learnt) write(file, used);
      learnt = false;
    },
  };
}

/** Names a file and its state; another one means that it may have changed. */
export function fileKey({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function read(file: string): Map<string, Digest> {
  const found = new Map<string, Digest>();
  try {
    const [header, ...lines] = readFileSync(file, 'latin1').split('\n');
    if (header !== HEADER) return found;
    for (const line of lines) {
      const split = line.lastIndexOf(' ');
      const digest = `sha256:${line.slice(split + 1)}`;
      if (split > 0 && isDigest(digest)) found.set(line.slice(0, split), digest);
    }
  } catch {
    // Only a memo: without it files are hashed again.
  }
  return found;
}

function write(file: string, entries: ReadonlyMap<string, Digest>): void {
  const half = `${file}.tmp-${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const lines = [...entries].map(([key, digest]) => `${key} ${digest.slice('sha256:'.length)}`);
    writeFileSync(half, [HEADER, ...lines, ''].join('\n'), { mode: 0o600 });
    renameSync(half, file);
  } catch {
    rmSync(half, { force: true });
  }
}
