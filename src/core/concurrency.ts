/**
 * Maps with at most `limit` calls under way; results keep the order of `items`. The first rejection wins and no further
 * item is started.
 */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next;
      next += 1;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** A value computed at most once, on first use. A rejection is kept too. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * Waits for work that others may share, and so does not end with this signal, until the signal aborts.
 * @param late gets what the work gives after that
 * @throws what the work throws, or the signal's reason
 */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  late: (result: T) => void = () => {},
): Promise<T> {
  if (signal === undefined) return work;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  const stop = (): void => signal.removeEventListener('abort', abort);
  work.then(
    (result) => {
      stop();
      if (signal.aborted) late(result);
      else resolve(result);
    },
    (error: unknown) => {
      stop();
      reject(error);
    },
  );
  return promise;
}
