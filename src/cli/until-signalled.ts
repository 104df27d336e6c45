import { AppError, EXIT_CODES } from '../core/error.ts';
import { endOnSignals } from '../sys/end-on-signals.ts';

/** The work of a command; its result is the exit code. */
export type Work = (signal: AbortSignal) => Promise<number>;

/**
 * Runs a command that SIGINT and SIGTERM end: when it has cleared up, or at once where only its output is still to be read.
 * @param load begins while signals are not listened to yet: it leaves nothing to clear up
 * @returns its exit code, without a signal
 */
export async function untilSignalled(load: () => Promise<Work>): Promise<number> {
  const controller = new AbortController();
  const { exit } = EXIT_CODES.ABORTED;
  let running = true;
  const end = async (code: number): Promise<void> => (await import('../sys/end-now.ts')).endNow(code);
  const listening = endOnSignals(exit, () => {
    controller.abort(new AppError('ABORTED', 'interrupted'));
    if (!running) void end(exit);
  });
  const [work] = await Promise.all([load(), listening]);
  const code = await work(controller.signal);
  running = false;
  if (controller.signal.aborted) await end(code);
  return code;
}
