import type { ImageContents } from '../../core/observer.ts';

/** Version of the form of a report as JSON. */
export const REPORT_FORM = 1;

/** A stretch of time, in milliseconds since the run began. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a step did in a stretch of time. */
export interface StepSpan extends Span {
  /** `stage`: it waited for a stage of this build; `build`: for another build, which made it. */
  readonly what: 'ran' | 'stage' | 'build';
  /** The stage that was waited for. */
  readonly stage?: string;
}

/** Why a step is not from the cache; the codes are those of docs/reference/miss-causes.md. */
export interface ReportCause {
  readonly code: string;
  readonly text: string;
}

export interface ReportStep {
  /** The instruction. */
  readonly text: string;
  readonly file: string;
  readonly line: number;
  /** `unneeded`: nothing asked for it; `unfinished`: the run ended before it. */
  readonly outcome: 'hit' | 'built' | 'failed' | 'unneeded' | 'unfinished';
  /** Time that it ran, without waiting. */
  readonly ms: number;
  readonly waitedMs: number;
  readonly spans: readonly StepSpan[];
  readonly causes: readonly ReportCause[];
  readonly key: string | null;
  /** The end of the output of a step that failed. */
  readonly output: readonly string[];
}

export interface ReportStage {
  readonly index: number;
  readonly name: string;
  readonly platform: string | null;
  readonly target: boolean;
  /** What FROM names: an image or scratch; null for a stage of the build. */
  readonly base: string | null;
  /** The stage that it goes on from. */
  readonly from: number | null;
  /** Stages that its steps read. */
  readonly reads: readonly number[];
  readonly steps: readonly ReportStep[];
}

export interface ReportPhase {
  readonly name: string;
  /** The sum of all parts of it, which may overlap. */
  readonly ms: number;
  /** When it went on; parts that touch are one. */
  readonly spans: readonly Span[];
}

/** What was downloaded or uploaded of one blob. */
export interface ReportTransfer extends Span {
  readonly direction: 'pull' | 'push';
  readonly digest: string;
  readonly bytes: number;
}

export interface ReportMessage {
  readonly code: string;
  readonly text: string;
  readonly hint: string | null;
  /** The lines that point into a file. */
  readonly frame: readonly string[];
}

export interface ReportRetry {
  readonly at: number;
  readonly what: string;
  readonly reason: string;
}

/** A named fact about the program or the machine. */
export interface ReportFact {
  readonly name: string;
  readonly value: string;
}

/** All that a report says of a run; plain data, without secrets. */
export interface Report {
  readonly form: typeof REPORT_FORM;
  /** RFC 3339. */
  readonly started: string;
  readonly ms: number;
  readonly command: string;
  readonly outcome: 'done' | 'failed';
  readonly error: ReportMessage | null;
  readonly totals: {
    readonly steps: number;
    readonly hit: number;
    readonly built: number;
    readonly failed: number;
    readonly bytesPulled: number;
    readonly bytesPushed: number;
  };
  readonly stages: readonly ReportStage[];
  readonly phases: readonly ReportPhase[];
  readonly transfers: readonly ReportTransfer[];
  readonly images: readonly ImageContents[];
  readonly warnings: readonly ReportMessage[];
  readonly retries: readonly ReportRetry[];
  readonly environment: readonly ReportFact[];
}
