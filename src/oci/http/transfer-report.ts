import type { Digest } from '../../core/digest.ts';
import type { Emit } from '../../core/events.ts';

/** Reports how one blob moves. */
export interface TransferReport {
  /** So many bytes are to move in all. */
  expect(bytes: number): void;
  moved(bytes: number): void;
  /** Nothing more will move; bytes that were expected are so no longer. */
  end(): void;
}

/** Bytes and milliseconds of which at least one has to pass between two events about a blob. */
const STEP_BYTES = 4 * 1024 * 1024;
const STEP_MS = 500;
/** Less than that has come before anybody could read of it. */
const WORTH_TELLING = 256 * 1024;

/** Emits `transfer` events, few enough for a log. */
export function createTransferReport(emit: Emit, direction: 'pull' | 'push', digest: Digest): TransferReport {
  let moved = 0;
  /** What is known to come, and what of that has not been said. */
  let [awaited, unsaid] = [0, 0];
  let told = performance.now();
  const tell = (): void => {
    if (moved === 0 && unsaid === 0) return;
    const expected = unsaid === 0 ? {} : { expected: unsaid };
    emit({ type: 'transfer', direction, digest, bytes: moved, ...expected });
    [moved, unsaid] = [0, 0];
    told = performance.now();
  };
  const awaits = (bytes: number): void => {
    unsaid += bytes - awaited;
    awaited = bytes;
  };
  return {
    expect: (bytes) => {
      awaits(bytes);
      if (bytes >= WORTH_TELLING) tell();
    },
    moved: (bytes) => {
      if (bytes > awaited) awaits(bytes);
      moved += bytes;
      awaited -= bytes;
      if (moved >= STEP_BYTES || performance.now() - told >= STEP_MS) tell();
    },
    end: () => {
      awaits(0);
      tell();
    },
  };
}
