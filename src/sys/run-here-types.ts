import type { UserCommand } from './run-as.ts';

/** What the processes of a RUN in place are told, as one line of JSON on their file descriptor 3. */
export interface HereSpec extends UserCommand {
  readonly network: 'host' | 'none';
  readonly privileged: boolean;
}

/** How the command ended, as JSON on file descriptor 5 of its supervisor. */
export interface HereEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
