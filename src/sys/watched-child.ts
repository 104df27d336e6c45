import type { ChildProcess } from 'node:child_process';
import { endGroup } from './end-group.ts';
import { createWarden } from './warden.ts';

export interface WatchedChildOptions<Child> {
  /** Where the warden's shell is looked for. */
  readonly path: string | undefined;
  readonly start: () => Child;
  /** It leads a process group, which ends with us as it does. */
  readonly leads: boolean;
  /** Ends it early, when the signal says so, in place of `endGroup`; who waits for the result waits for that as well. */
  readonly end?: (child: Child) => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs a program of others that ends with us, however we end, and early where a signal says so.
 * @param use gives its result, once it has ended
 * @throws what the signal says, and what `start` and `use` throw
 */
export async function withWatchedChild<Child extends Pick<ChildProcess, 'pid'>, Result>(
  { path, start, leads, end = endLeader, signal }: WatchedChildOptions<Child>,
  use: (child: Child) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const warden = createWarden(path);
  warden.prepare();
  let ended: Promise<void> | undefined;
  let abort = (): void => {};
  try {
    const child = start();
    if (child.pid !== undefined) warden.watch(leads ? -child.pid : child.pid);
    abort = () => {
      ended = end(child);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const result = await use(child);
    await ended;
    signal?.throwIfAborted();
    return result;
  } finally {
    signal?.removeEventListener('abort', abort);
    await warden.close();
  }
}

async function endLeader({ pid }: Pick<ChildProcess, 'pid'>): Promise<void> {
  if (pid !== undefined) await endGroup(pid);
}
