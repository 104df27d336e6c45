import { existsSync } from 'node:fs';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { endContainer } from './container.ts';
import type { ContainerStore } from './store.ts';
import type { PrepareDeps } from './types.ts';

export interface DownDeps extends Pick<PrepareDeps, 'remove'> {
  readonly store: ContainerStore;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Ends all processes of a container, and deletes it: its files and what is kept of it, but no named volumes. One that an
 * `up` has left half-made, or that ended with the machine, goes as well.
 */
export async function down(name: string, deps: DownDeps): Promise<void> {
  const { store, emit, signal } = deps;
  const release = await store.lock(name, signal, () =>
    emit({ type: 'message', level: 'info', text: `waiting for another envbuilder that works on ${name}` }),
  );
  try {
    await removeContainer(name, deps);
    store.removeLock(name);
  } finally {
    release();
  }
}

/** The same, by whoever holds its lock. */
export async function removeContainer(
  name: string,
  { store, remove }: Pick<DownDeps, 'store' | 'remove'>,
): Promise<void> {
  const mark = store.process(name);
  if (mark) await endContainer(mark);
  const { directory } = store.place(name);
  if (!existsSync(directory)) return;
  const ids = store.find(name)?.record.ids;
  if (ids !== undefined && process.geteuid?.() === 0) {
    throw new AppError('PERMISSION', `the container ${name} was made by an ordinary user`, {
      hint: 'run envbuilder down as that user',
    });
  }
  await remove(directory, ids);
}
