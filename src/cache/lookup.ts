import { mapLimit } from '../core/concurrency.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { readAll } from '../oci/readable.ts';
import type { Store } from '../oci/types.ts';
import { decodeRecord, detachedConfig } from './record.ts';
import type { CacheRecord } from './types.ts';

/** Requests under way at once: one round trip for any usual Dockerfile. */
const PARALLEL_LOOKUPS = 128;
const MAX_CONFIG = 1024 * 1024;

export interface LookupOptions {
  readonly store: Store;
  /** Records created longer ago than this are misses; Infinity keeps all. */
  readonly ttlMs: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly emit: Emit;
  readonly signal?: AbortSignal;
}

/** Every record that is stored under these keys, is readable and is young enough. All are asked for at once. */
export async function lookupRecords(
  keys: readonly Digest[],
  options: LookupOptions,
): Promise<Map<Digest, CacheRecord>> {
  const unique = [...new Set(keys)];
  const found = new Map<Digest, CacheRecord>();
  let unreachable = false;
  await mapLimit(unique, PARALLEL_LOOKUPS, async (key) => {
    if (unreachable) return;
    try {
      const record = await lookupRecord(key, options);
      if (record) found.set(key, record);
    } catch (error) {
      if (options.signal?.aborted || !(error instanceof AppError)) throw error;
      unreachable ||= error.code === 'REGISTRY' || error.code === 'AUTH';
      warn(options.emit, key, error);
    }
  });
  return found;
}

/**
 * The record under one key or content key; undefined when there is none or it is too old.
 * @throws AppError when the store cannot be asked or the record cannot be read
 */
export async function lookupRecord(key: Digest, options: LookupOptions): Promise<CacheRecord | undefined> {
  const raw = await options.store.resolve(hexOf(key), options.signal);
  if (!raw) return undefined;
  const outside = detachedConfig(raw.bytes);
  const config = outside && (await readConfig(options, outside));
  const record = decodeRecord(raw.bytes, key, config);
  return options.now - Date.parse(record.created) > options.ttlMs ? undefined : record;
}

async function readConfig(
  { store, signal }: LookupOptions,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Promise<Buffer> {
  const tooLong = () => new AppError('CORRUPT', `the config ${digest} of a cache record is too long`);
  if (size > MAX_CONFIG) throw tooLong();
  return readAll(await store.get(digest, undefined, signal), MAX_CONFIG, tooLong);
}

function warn(emit: Emit, key: Digest, error: AppError): void {
  emit({
    type: 'warning',
    code: error.code,
    text: `cache lookup ${hexOf(key).slice(0, 12)} failed and counts as a miss: ${error.message}`,
    ...(error.hint ? { hint: error.hint } : {}),
  });
}
