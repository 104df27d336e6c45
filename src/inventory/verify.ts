import { mapLimit } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import { toAppError } from '../core/error.ts';
import type { Store } from '../oci/types.ts';
import type { InventoryEntry } from './types.ts';

const PARALLEL = 32;

/** What is wrong with a cache. */
export interface InventoryProblem {
  readonly tag: string;
  readonly text: string;
}

/**
 * Asks for every layer that an entry needs, and says what is not there with its right size.
 * @param readAll whether the bytes are read too, and compared with their digests
 */
export async function verifyEntries(
  store: Store,
  entries: readonly InventoryEntry[],
  { readAll, signal }: { readonly readAll: boolean; readonly signal: AbortSignal },
): Promise<readonly InventoryProblem[]> {
  const sizes = new Map(
    entries.flatMap(({ needs }) => needs.map(({ digest, size }) => [digest, size] as const)),
  );
  const wrong = new Map<Digest, string>();
  await mapLimit([...sizes], readAll ? 4 : PARALLEL, async ([digest, size]) => {
    try {
      const found = await store.has(digest, signal);
      if (found === undefined) wrong.set(digest, 'is gone');
      else if (found !== size) wrong.set(digest, `has ${found} bytes instead of ${size}`);
      else if (readAll) for await (const _ of await store.get(digest, undefined, signal));
    } catch (error) {
      signal.throwIfAborted();
      wrong.set(digest, `cannot be read: ${toAppError(error, 'CORRUPT', 'it is damaged').message}`);
    }
  });
  return entries.flatMap(({ tags, needs, problem }) => {
    const tag = tags[0] ?? '';
    const layers = needs.flatMap(({ digest }) => {
      const text = wrong.get(digest);
      return text === undefined ? [] : [{ tag, text: `its layer ${digest.slice(0, 19)} ${text}` }];
    });
    return [...(problem === null ? [] : [{ tag, text: problem }]), ...layers];
  });
}
