/** A process that waits hears of an answer at least this often before it gives up. */
const TURNS = 10;

/**
 * As setTimeout with one call, for answers of others, but in time that this process had: one that gets no processor, or was
 * stopped, finds its timers due before it has read what came meanwhile, and would give up an answer that is there. It keeps
 * no process.
 * @param ms in milliseconds, where the process runs
 * @returns what ends it
 */
export function awakeTimer(ms: number, late: () => void): () => void {
  let timer: NodeJS.Timeout;
  let isOver = false;
  const wait = (turns: number): void => {
    timer = setTimeout(() => (turns > 1 ? wait(turns - 1) : setImmediate(end)), ms / TURNS).unref();
  };
  const end = (): void => {
    if (!isOver) late();
  };
  wait(TURNS);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** As AbortSignal.timeout, in such time. @param ms in milliseconds */
export function awakeTimeout(ms: number): AbortSignal {
  const controller = new AbortController();
  awakeTimer(ms, () =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
  );
  return controller.signal;
}
