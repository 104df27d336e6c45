import type { RunSpec } from './types.ts';

/** What the first process of a RUN is told, as JSON on its file descriptor 3. */
export interface InitSpec extends Omit<RunSpec, 'onOutput' | 'signal' | 'stdin'> {}

/** What it reports on file descriptor 4 when the command cannot be started; nothing when it was. */
export interface InitFailure {
  readonly message: string;
  readonly hint?: string;
  /** As a shell would exit: 126 or 127; undefined for a failure of ours. */
  readonly exitCode?: number;
}
