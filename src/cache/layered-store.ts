import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { Store } from '../oci/types.ts';

/** Several repositories that are read as one. */
export interface LayeredStore extends Store {
  /** The repository that a blob is read from; undefined where none holds it. */
  locate(digest: Digest, signal?: AbortSignal): Promise<Store | undefined>;
}

/**
 * A repository that is never written to, and that a build can do without: once it cannot be asked, it counts as empty,
 * with one warning.
 */
export function createReadOnlyStore(store: Store, { emit }: { readonly emit: Emit }): Store {
  let down = false;
  const ask = async <T>(question: () => Promise<T>): Promise<T | undefined> => {
    if (down) return undefined;
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof AppError) || !['REGISTRY', 'AUTH'].includes(error.code)) throw error;
      if (!down) warn(emit, store, error);
      down = true;
      return undefined;
    }
  };
  const refuse = async (): Promise<never> => {
    throw new AppError('INTERNAL', `the trusted repository ${store.name} is never written to`);
  };
  return {
    name: store.name,
    has: (digest, signal) => ask(() => store.has(digest, signal)),
    resolve: (name, signal) => ask(() => store.resolve(name, signal)),
    get: store.get,
    put: refuse,
    tag: refuse,
  };
}

/**
 * Reads from the first of the repositories that holds what is wanted, all asked at once, and writes to the last one.
 * @param stores at least one; an error of any is thrown unless an earlier one has the answer
 */
export function createLayeredStore(stores: readonly Store[]): LayeredStore {
  const last = stores.at(-1)!;
  const places = new Map<Digest, { readonly store: Store; readonly size: number }>();

  const first = async <T>(
    ask: (store: Store) => Promise<T | undefined>,
  ): Promise<{ readonly store: Store; readonly value: T } | undefined> => {
    const answers = await Promise.allSettled(stores.map(ask));
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'rejected') throw answer.reason;
      if (answer.value !== undefined) return { store: stores[i]!, value: answer.value };
    }
    return undefined;
  };
  const find = async (digest: Digest, signal: AbortSignal | undefined) => {
    const known = places.get(digest);
    if (known) return known;
    const found = await first((store) => store.has(digest, signal));
    if (!found) return undefined;
    const place = { store: found.store, size: found.value };
    places.set(digest, place);
    return place;
  };
  return {
    name: stores.map(({ name }) => name).join(', '),
    has: async (digest, signal) => (await find(digest, signal))?.size,
    locate: async (digest, signal) => (await find(digest, signal))?.store,
    get: async (digest, range, signal) => {
      const place = await find(digest, signal);
      return (place?.store ?? last).get(digest, range, signal);
    },
    resolve: async (name, signal) => (await first((store) => store.resolve(name, signal)))?.value,
    put: last.put,
    tag: last.tag,
  };
}

function warn(emit: Emit, store: Store, error: AppError): void {
  emit({
    type: 'warning',
    code: error.code,
    text: `the trusted repository ${store.name} cannot be read and counts as empty: ${error.message}`,
    ...(error.hint ? { hint: error.hint } : {}),
  });
}
