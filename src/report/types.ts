import type { SourceRange } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import type { Redactor } from './redact.ts';

/** The part of a writable stream that reporters use; `rows` and `columns` are there on a terminal. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

/** A CI service whose logs fold what is marked as a section. */
export type CiService = 'github' | 'gitlab';

export interface ReporterOptions {
  readonly mode: 'auto' | 'plain' | 'json';
  /** Where the plain lines of `auto` are read, and the output of steps is folded. */
  readonly ci?: CiService;
  /** Where everything goes; results have standard output to themselves. */
  readonly err: Sink;
  /** Where errors go instead, in plain lines. */
  readonly errors?: Sink;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly redactor: Redactor;
  /** Reads the line that a range starts on. */
  readonly readLine?: (range: SourceRange) => string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Shows a run while it goes on. */
export interface Reporter {
  readonly emit: (event: Event) => void;
  /** Has somebody else write to the terminal that it draws on; missing where it draws nothing. */
  readonly beside?: (write: () => void) => void;
  /** Ends the live part and prints the summary; errors may be emitted before, nothing after. */
  readonly close: () => void;
}
