import { resolve } from 'node:path';
import type { Emit, Event } from '../core/events.ts';
import { writeOutputText } from '../index.ts';
import { createTerminationMessage } from '../report/termination.ts';
import type { Parsed } from './options/parse.ts';
import type { CommandContext } from './run-context.ts';

/** The message of a run to whoever looks after its container. */
export interface TerminationFile {
  take(event: Event): void;
  /** Writes what is known by now; a run does not fail for it. */
  write(emit: Emit): Promise<void>;
}

/** Begins the message in the file that `--termination-message` names. */
export function openTerminationFile(
  file: string,
  { command }: Parsed,
  { redactor, cwd }: Pick<CommandContext, 'redactor' | 'cwd'>,
): TerminationFile {
  const message = createTerminationMessage(command, redactor);
  const path = resolve(cwd, file);
  return {
    take: message.take,
    write: async (emit) => {
      try {
        await writeOutputText(path, message.text());
      } catch (error) {
        emit({
          type: 'warning',
          code: 'OUTPUT',
          text: `cannot write the termination message ${path}: ${(error as Error).message}`,
          hint: 'ENVBUILDER_TERMINATION_MESSAGE names a file that can be written, as /dev/termination-log in a pod',
        });
      }
    },
  };
}
