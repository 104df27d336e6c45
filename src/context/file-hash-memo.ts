import { type Digest, hexOf } from '../core/digest.ts';
import { FACT, inodeNumber, type PathFacts, sizeOf, timeOf } from '../sys/path-facts.ts';
import { RACY_SECONDS, readMemoFile, writeMemoFile } from './memo-file.ts';

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
  /** Nanoseconds since the epoch. */
  now(): bigint;
  /** @param begun when reading the file began, by `now`; at this moment when left out */
  set(file: FileIdentity, facts: FileFacts, begun?: bigint): void;
  /** Says that files were not asked for because a whole tree of them is known; what was known of them stays. */
  keepUnused(): void;
  /** Writes the memo for the next process, when it has a file and learnt something. */
  save(): void;
}

const RACY_NS = BigInt(RACY_SECONDS) * 1_000_000_000n;
const HEADER = 'envbuilder file hashes 2';
const MARKS = { plain: '-', attributes: '+' } as const;
/** Bytes of a line after the key: a space, the mark, a space, the digest in hex. */
const TAIL = 3 + 64;
const HEX = /^[0-9a-f]{64}$/;
/** Searches through the text that cost less than taking it apart. */
const MOST_SEARCHES = 20;
/** Files that were not asked for and stay known; more of them may be of trees that are no longer there. */
const MOST_UNUSED = 300_000;

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
  const used = new Map<string, FileFacts>();
  const absent = new Set<string>();
  let [learnt, keep, searches] = [false, false, 0];
  /** Where the line of the next file begins, as long as they are asked for in the order in which they were written. */
  let next = HEADER.length + 1;
  const load = (): string => {
    text ??= file === undefined ? '' : readMemoFile(file, HEADER);
    return text;
  };
  const lineAt = (start: number, key: string): FileFacts | undefined => {
    const split = start + key.length;
    if (!load().startsWith(key, start)) return undefined;
    const facts = factsAt(load(), split);
    if (facts) next = split + TAIL + 1;
    return facts;
  };
  /** A file that changed, is new or was deleted puts the others out of place. */
  const search = (key: string): FileFacts | undefined => {
    if (searches < MOST_SEARCHES) {
      if (absent.has(key)) return undefined;
      const line = `\n${key} `;
      let at = load().indexOf(line, next - 1);
      if (at === -1) {
        searches += 1;
        at = load().slice(0, next).indexOf(line);
      }
      if (at !== -1) return lineAt(at + 1, key);
      absent.add(key);
      return undefined;
    }
    known ??= parse(load());
    return known.get(key);
  };
  return {
    now,
    get: (key) => {
      const facts = lineAt(next, key) ?? used.get(key) ?? search(key);
      if (facts) used.set(key, facts);
      return facts;
    },
    set: (identity, facts, begun = now()) => {
      if (begun - identity.ctimeNs < RACY_NS || begun - identity.mtimeNs < RACY_NS) return;
      used.set(fileKey(identity), facts);
      learnt = true;
    },
    keepUnused: () => {
      keep = true;
    },
    save: () => {
      if (file !== undefined && learnt) write(file, keep ? withUnused(used, parse(load())) : used);
      learnt = false;
    },
  };
}

/** Names a file and its state; another one means that it may have changed. */
export function fileKey({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

/** The same for a row of facts. */
export function factsKey(facts: PathFacts): string {
  const dev = facts[FACT.dev]!;
  const [major, minor] = [dev >>> 20, dev & 0xfffff];
  const device = (minor & 0xff) + major * 2 ** 8 + (minor >>> 8) * 2 ** 20;
  const ino = facts[FACT.ino + 1] === 0 ? facts[FACT.ino] : inodeNumber(facts);
  return `${device} ${ino} ${sizeOf(facts)} ${nanoseconds(facts, 'mtime')} ${nanoseconds(facts, 'ctime')}`;
}

/** A time in decimal; for one after 1970, seconds and nanoseconds stand one behind the other. */
function nanoseconds(facts: PathFacts, fact: 'mtime' | 'ctime'): string {
  const at = FACT[fact];
  if (facts[at + 1] !== 0 || facts[at] === 0) return timeOf(facts, fact).toString();
  return `${facts[at]}${String(facts[at + 2]).padStart(9, '0')}`;
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

/** What was used, and behind it what else is known of files that were not seen in another state. */
function withUnused(
  used: ReadonlyMap<string, FileFacts>,
  known: ReadonlyMap<string, FileFacts>,
): Map<string, FileFacts> {
  const inodeOf = (key: string): string => key.slice(0, key.indexOf(' ', key.indexOf(' ') + 1));
  const seen = new Set([...used.keys()].map(inodeOf));
  const unused = [...known].filter(([key]) => !seen.has(inodeOf(key)));
  return new Map([...used, ...unused.slice(-MOST_UNUSED)]);
}

function write(file: string, facts: ReadonlyMap<string, FileFacts>): void {
  const lines = [...facts].map(
    ([key, { digest, plain }]) => `${key} ${plain ? MARKS.plain : MARKS.attributes} ${hexOf(digest)}`,
  );
  writeMemoFile(file, HEADER, lines);
}
