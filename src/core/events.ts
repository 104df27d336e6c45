import type { Digest } from './digest.ts';
import type { AppError, SourceRange } from './error.ts';

/** The parts of a run whose times the summary adds up. */
export type Phase =
  | 'clone'
  | 'plan'
  | 'lookup'
  | 'download'
  | 'verify'
  | 'decode'
  | 'write'
  | 'extract'
  | 'run'
  | 'snapshot'
  | 'compress'
  | 'upload'
  | 'image'
  | 'output'
  | 'hooks'
  | 'cleanup';

/** Names a step everywhere: stage index in the Dockerfile and instruction index in the stage, both from 0. */
export interface StepId {
  readonly stage: number;
  readonly step: number;
}

/** Everything that the program reports; src/report renders it, nothing else prints. */
export type Event =
  | { readonly type: 'phase'; readonly phase: Phase; readonly ms: number }
  | {
      readonly type: 'step-planned';
      readonly id: StepId;
      readonly stageName: string;
      readonly text: string;
      readonly range: SourceRange;
    }
  /**
   * The step cannot begin, for `ms` milliseconds by now: `stage` of this build has to be ready, or else another build makes
   * the step. Comes again while that goes on. What follows is `step-started`, or `step-finished` for one that needs not run.
   */
  | { readonly type: 'step-waiting'; readonly id: StepId; readonly ms: number; readonly stage?: string }
  | { readonly type: 'step-started'; readonly id: StepId }
  | {
      readonly type: 'step-output';
      readonly id: StepId;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    }
  | {
      readonly type: 'step-finished';
      readonly id: StepId;
      readonly outcome: 'hit' | 'built' | 'skipped' | 'failed';
      readonly ms: number;
      readonly key: Digest;
      /** Why the step was not a hit, when that is known. */
      readonly reason?: string;
    }
  /**
   * The layer of a step as it is stored, once it is known: of one that was built some time after that has finished. A step
   * that changes no file has none.
   */
  | { readonly type: 'step-layer'; readonly id: StepId; readonly digest: Digest; readonly bytes: number }
  | {
      readonly type: 'progress';
      readonly what: string;
      readonly done: number;
      readonly total?: number;
      /** What is counted; bytes where that is not said. */
      readonly unit?: 'objects';
    }
  | {
      readonly type: 'transfer';
      readonly direction: 'pull' | 'push';
      readonly digest: Digest;
      readonly bytes: number;
      /** How many more bytes than was said before are still to come, or fewer where it is negative. */
      readonly expected?: number;
    }
  | {
      readonly type: 'retry';
      readonly what: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly reason: string;
    }
  | {
      readonly type: 'message';
      readonly level: 'debug' | 'info';
      readonly text: string;
      /** By its digest, the image that has been pushed. */
      readonly image?: string;
    }
  | {
      readonly type: 'warning';
      readonly code: string;
      /** Whether `code` is the name of a check of Dockerfiles, which can be turned off by it. */
      readonly rule?: true;
      readonly text: string;
      readonly hint?: string;
      readonly range?: SourceRange;
    }
  | { readonly type: 'error'; readonly error: AppError };

export type Emit = (event: Event) => void;

/** An emitter for callers that do not listen. */
export const silent: Emit = () => {};

/** Runs `work` and emits how long it took as part of `phase`, whether it succeeds or not. */
export async function timed<T>(emit: Emit, phase: Phase, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    emit({ type: 'phase', phase, ms: performance.now() - start });
  }
}
