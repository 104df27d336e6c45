import { existsSync } from 'node:fs';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { endContainer, USUAL_END } from './container.ts';
import type { ProcessMark } from './process-mark.ts';
import { listServices, readOwn, signalOf } from './services/store.ts';
import { endService } from './services/supervise.ts';
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
  const { directory } = store.place(name);
  await endAll(directory, store.process(name));
  if (!existsSync(directory)) return;
  const ids = store.find(name)?.record.ids;
  if (ids !== undefined && process.geteuid?.() === 0) {
    throw new AppError('PERMISSION', `the container ${name} was made by an ordinary user`, {
      hint: 'run envbuilder down as that user',
    });
  }
  await remove(directory, ids);
}

/**
 * Ends a container and the services beside it: each when all have ended that wait for it, those of one turn at once.
 * @param mostMs what each has at most to end by itself, however much its definition gives it
 */
export async function endAll(
  directory: string,
  container: ProcessMark | undefined,
  mostMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const within = ({ graceMs }: { readonly graceMs: number }): number => Math.min(graceMs, mostMs);
  const own = readOwn(directory) ?? { name: '', dependsOn: [] };
  const parts: readonly Part[] = [
    {
      ...own,
      end: async () => container && endContainer(container, { ...USUAL_END, graceMs: within(USUAL_END) }),
    },
    ...listServices(directory).map(({ record: { name, dependsOn, stop }, loop }) => ({
      ...{ name, dependsOn },
      end: async () => loop && endService(loop, { signal: signalOf(stop.signal), graceMs: within(stop) }),
    })),
  ];
  const ends = new Map<string, Promise<void>>();
  const end = (part: Part): Promise<void> => {
    const known = ends.get(part.name);
    if (known) return known;
    const waiting = parts.filter(({ dependsOn }) => dependsOn.includes(part.name));
    const ended = Promise.all(waiting.map(end)).then(part.end);
    ends.set(part.name, ended);
    return ended;
  };
  await Promise.all(parts.map(end));
}

interface Part {
  readonly name: string;
  readonly dependsOn: readonly string[];
  readonly end: () => Promise<void>;
}
