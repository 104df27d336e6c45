import { mapLimit } from '../core/concurrency.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { LIMITS } from '../core/limits.ts';
import { readAll } from '../oci/readable.ts';
import type { Store } from '../oci/types.ts';
import { type Age, readAge, recordIdentity } from './age.ts';
import { decodeRecord, detachedConfig } from './record.ts';
import type { Trust } from './trust.ts';
import type { CacheRecord } from './types.ts';

/** Requests under way at once: one round trip for any usual Dockerfile. */
const PARALLEL_LOOKUPS = 256;
/** So much may the clock of whoever made a record be ahead of ours. */
const MOST_AHEAD_MS = 24 * 3600 * 1000;
const MAX_CONFIG = LIMITS.recordConfig.most;

/** Why a record that is there does not count. */
export type Refusal =
  | { readonly code: 'expired'; readonly created: string }
  | { readonly code: 'unsigned' }
  | { readonly code: 'unknown-key' | 'wrong-signature'; readonly ids: readonly string[] }
  | { readonly code: 'record-unreadable' | 'cache-unreachable'; readonly message: string };

export interface LookupOptions {
  /** Is filled with the keys whose records do not count, for explanations. */
  readonly refused?: Map<Digest, Refusal>;
  /** Repositories that may hold records; of two records that count, that of the earlier one does. */
  readonly stores: readonly Store[];
  readonly trust: Trust;
  /** Keys under which records without a date are to be expected: their notes are asked for in the same round. */
  readonly undated?: ReadonlySet<Digest>;
  /** Records created longer ago than this are misses; Infinity keeps all. */
  readonly ttlMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/**
 * Every record that is stored under these keys, is readable, trusted and young enough. All are asked for at once. One whose
 * age is not known is not young enough.
 */
export async function lookupRecords(
  keys: readonly Digest[],
  options: LookupOptions,
): Promise<Map<Digest, CacheRecord>> {
  return createLookups(options)(keys, options.undated);
}

/** A function as lookupRecords, for several rounds: a repository that answers nothing in one is not asked in the next. */
export function createLookups(
  options: LookupOptions,
): (keys: readonly Digest[], undated?: ReadonlySet<Digest>) => Promise<Map<Digest, CacheRecord>> {
  /** Repositories that gave no answer at all, and why. */
  const away = new Map<Store, Refusal>();
  return async (keys, undated) => {
    const unique = [...new Set(keys)];
    const found = await Promise.all(
      options.stores.map(async (store) => {
        const gone = away.get(store);
        if (gone) {
          for (const key of unique) options.refused?.set(key, gone);
          return new Map<Digest, CacheRecord>();
        }
        const { records, answers, failure } = await recordsIn(store, unique, {
          ...options,
          ...(undated ? { undated } : {}),
        });
        // One question may have met something of its own.
        if (answers === 0 && failure && unique.length > 1) away.set(store, failure);
        return records;
      }),
    );
    return new Map(found.toReversed().flatMap((records) => [...records]));
  };
}

async function recordsIn(
  store: Store,
  keys: readonly Digest[],
  options: LookupOptions,
): Promise<{
  readonly records: ReadonlyMap<Digest, CacheRecord>;
  /** How many questions were answered. */
  readonly answers: number;
  /** Of a question that was not. */
  readonly failure: Refusal | undefined;
}> {
  const records = new Map<Digest, CacheRecord>();
  let answers = 0;
  let failure: Refusal | undefined;
  await mapLimit(keys, PARALLEL_LOOKUPS, async (key) => {
    if (failure) return;
    try {
      const record = await recordIn(store, key, options);
      if (record) records.set(key, record);
      answers += 1;
    } catch (error) {
      if (options.signal?.aborted || !(error instanceof AppError)) throw error;
      const fails = error.code === 'REGISTRY' || error.code === 'AUTH';
      const refusal: Refusal = {
        code: fails ? 'cache-unreachable' : 'record-unreadable',
        message: error.message,
      };
      options.refused?.set(key, refusal);
      if (fails) failure ??= refusal;
      else answers += 1;
      warn(options.emit, key, error);
    }
  });
  return { records, answers, failure };
}

/**
 * The record under one key or content key; undefined when there is none that is trusted and young enough.
 * @throws AppError when no store has one, and one cannot be asked or has a record that cannot be read
 */
export async function lookupRecord(key: Digest, options: LookupOptions): Promise<CacheRecord | undefined> {
  const answers = await Promise.allSettled(options.stores.map((store) => recordIn(store, key, options)));
  for (const answer of answers)
    if (answer.status === 'fulfilled' && answer.value !== undefined) return answer.value;
  const failure = answers.find((answer) => answer.status === 'rejected');
  if (failure) throw failure.reason;
  return undefined;
}

async function recordIn(store: Store, key: Digest, options: LookupOptions): Promise<CacheRecord | undefined> {
  const ask = (one: Digest): Promise<Age | undefined> => readAge(store, one, options);
  const asked = options.undated?.has(key) ? ask(key) : undefined;
  const raw = await store.resolve(hexOf(key), options.signal);
  if (!raw) return undefined;
  const outside = detachedConfig(raw.bytes);
  const config = outside && (await readConfig(store, outside, options.signal));
  const said = decodeRecord(raw.bytes, key, config);
  const record = said.undated ? dated(said, await (asked ?? ask(said.key))) : said;
  if (!record) return undefined;
  const ageMs = options.now - Date.parse(record.created);
  if (ageMs > options.ttlMs) {
    options.refused?.set(key, { code: 'expired', created: record.created });
    return undefined;
  }
  // It would never grow too old.
  if (ageMs < -MOST_AHEAD_MS)
    throw new AppError('CORRUPT', `the cache record was made in the future, at ${record.created}`, {
      hint: 'set the clock of whatever made it, or of this machine',
    });
  const refuse = (refusal: Refusal): void => void options.refused?.set(key, refusal);
  return options.trust.accepts(record, { key, in: store.name, refuse }) ? record : undefined;
}

/** An undated record with the time that its note says; undefined where that is no note on this one. */
function dated(record: CacheRecord, age: Age | undefined): CacheRecord | undefined {
  return age?.record === recordIdentity(record) ? { ...record, created: age.created } : undefined;
}

async function readConfig(
  store: Store,
  { digest, size }: { readonly digest: Digest; readonly size: number },
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const tooLong = () => new AppError('CORRUPT', `the config ${digest} of a cache record is too long`);
  if (size > MAX_CONFIG) throw tooLong();
  const stream = await store.get(digest, undefined, signal);
  return readAll(stream, MAX_CONFIG, tooLong).catch((error: unknown) => {
    throw toAppError(error, 'REGISTRY', `cannot read the config ${digest} of a cache record`);
  });
}

function warn(emit: Emit, key: Digest, error: AppError): void {
  emit({
    type: 'warning',
    code: error.code,
    text: `cache lookup ${hexOf(key).slice(0, 12)} failed and counts as a miss: ${error.message}`,
    ...(error.hint ? { hint: error.hint } : {}),
  });
}
