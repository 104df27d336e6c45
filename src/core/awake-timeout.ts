/** A process that waits hears of an answer at least this often before it gives up. */
const TURNS = 10;

/**
 * As AbortSignal.timeout, for answers of others, but in time that this process had: one that gets no processor, or was
 * stopped, finds its timers due before it has read what came meanwhile, and would give up an answer that is there.
 * @param ms in milliseconds, where the process runs
 */
export function awakeTimeout(ms: number): AbortSignal {
  const controller = new AbortController();
  const wait = (turns: number): void => {
    setTimeout(() => (turns > 1 ? wait(turns - 1) : setImmediate(abort)), ms / TURNS).unref();
  };
  const abort = (): void =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  wait(TURNS);
  return controller.signal;
}
