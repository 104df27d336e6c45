import { setTimeout as sleep } from 'node:timers/promises';
import type { Leases } from '../cache/leases.ts';
import { type LookupOptions, lookupRecord } from '../cache/lookup.ts';
import type { CacheRecord } from '../cache/types.ts';
import { mapLimit } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { Step } from '../plan/types.ts';
import type { Around, Entry } from './stage-runner.ts';

/** Lets builds of the same steps wait for each other. */
export interface Flight {
  /** As StageRunnerDeps.enter. Whatever fails, the step may run. @throws what the signal says */
  enter(step: Step, around: Around, onFree?: () => void): Promise<Entry>;
}

export interface FlightDeps {
  /** How records are looked up again; its requests fail soon. */
  readonly lookup: LookupOptions;
  /** Undefined where builds do not wait for each other. */
  readonly leases: Leases | undefined;
  /** The longest time that a step waits, in milliseconds. */
  readonly patience: number;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

const PARALLEL_LOOKUPS = 32;
/** Steps behind one that was found that are asked for first; twice as many each time that all are there. */
const FIRST_BEHIND = 2;
const FIRST_POLL_MS = 150;
const LAST_POLL_MS = 2000;
/** Between two events of a step that waits, in milliseconds. */
const SAY_MS = 10_000;
/** What is over sooner is not worth a word. */
const QUIET_MS = 1000;
const NOBODY: Entry = { records: new Map(), turn: undefined };

const keyOf = ({ key }: Step): Digest => key;

/** Before each step that would run, the cache is asked again, and its lease is taken or waited for. */
export function createFlight({ lookup, leases, patience, emit, signal }: FlightDeps): Flight {
  let down = false;
  /** @param there the registry was there a moment ago: what it does not answer now is asked again */
  const ask = async (steps: readonly Step[], there: boolean): Promise<ReadonlyMap<Digest, CacheRecord>> => {
    const found = new Map<Digest, CacheRecord>();
    if (down) return found;
    await mapLimit(steps, PARALLEL_LOOKUPS, async ({ key }) => {
      try {
        const record = await lookupRecord(key, lookup);
        if (record) found.set(key, record);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AppError)) throw error;
        down ||= !there && (error.code === 'REGISTRY' || error.code === 'AUTH');
      }
    });
    return found;
  };
  /** What has been made of a step meanwhile and, if that is something, of those behind it. */
  const askAgain = async (
    step: Step,
    behind: readonly Step[],
    there = false,
  ): Promise<ReadonlyMap<Digest, CacheRecord> | undefined> => {
    const found = new Map(await ask([step], there));
    if (found.size === 0) return undefined;
    // Most often another build is just ahead: what it has not come to is not asked for.
    for (let [from, many] = [0, FIRST_BEHIND]; from < behind.length; from += many, many *= 2) {
      const some = behind.slice(from, from + many);
      const more = await ask(some, there);
      for (const [key, record] of more) found.set(key, record);
      if (more.size < some.length) break;
    }
    return found;
  };

  return {
    enter: async (step, { before, behind }, onFree) => {
      // Whose lease is gone may have stored the record.
      const isFree =
        onFree &&
        ((): void => {
          ask([step], false).then(
            ({ size }) => size === 0 && onFree(),
            () => {},
          );
        });
      const started = performance.now();
      let said = QUIET_MS - SAY_MS;
      for (let poll = FIRST_POLL_MS; ; poll = Math.min(LAST_POLL_MS, poll * 1.4)) {
        signal.throwIfAborted();
        const taken = (await leases?.take([step, ...behind].map(keyOf), before.map(keyOf), isFree)) ?? {
          kind: 'none',
        };
        if (taken.kind === 'taken') {
          const end = (stored: boolean): void => {
            void leases!.end(step.key, stored);
            // Nobody knows whether the steps behind it will be made here.
            if (!stored) for (const { key } of behind) void leases!.end(key, false);
          };
          const turn = { end, isSure: () => leases!.confirms(step.key) };
          const records = taken.missing ? undefined : await askAgain(step, behind);
          if (!records) leases!.prepare(behind.map(keyOf));
          return records ? { records, turn } : { ...NOBODY, turn };
        }
        const records = await askAgain(step, behind, taken.kind === 'held');
        if (records) return { records, turn: undefined };
        if (taken.kind === 'none') return NOBODY;
        const waited = performance.now() - started;
        if (waited > patience) {
          const text = `another build has made ${step.text.split('\n')[0]} for ${Math.round(waited / 1000)} s; it is made here as well`;
          emit({ type: 'message', level: 'info', text });
          return NOBODY;
        }
        if (waited - said > SAY_MS) {
          emit({ type: 'step-waiting', id: { stage: step.stage, step: step.index }, ms: waited });
          said = waited;
        }
        await sleep(
          Math.min(poll * (0.7 + Math.random() * 0.6), Math.max(1, patience - waited + 1)),
          undefined,
          {
            signal,
          },
        );
      }
    },
  };
}

/**
 * Does work that others would do as well at the same time, after them where they have begun: then there is nothing left to
 * do. Where nobody can be asked, or they take longer than `patience` milliseconds, it is done all the same.
 */
export async function inTurn<T>(
  leases: Leases,
  key: Digest,
  { patience, signal }: { readonly patience: number; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  for (;;) {
    const { kind } = await leases.take([key]);
    if (kind !== 'held' || performance.now() - started > patience) break;
    await sleep(300 + Math.random() * 300, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await leases.end(key, false);
  }
}
