import type { Event } from '../core/events.ts';
import { formatDuration } from '../core/units.ts';
import type { Redactor } from './redact.ts';
import { type RenderOptions, renderError } from './render-error.ts';
import { sourceFrame } from './source-frame.ts';
import type { StepBoard } from './step-board.ts';

export interface MessageDeps extends RenderOptions {
  readonly redactor: Redactor;
  readonly board: StepBoard;
}

/** The lines for an event that is not about one step's progress; none for events that are. */
export function messageLines(event: Event, deps: MessageDeps): readonly string[] {
  const { style, redactor, verbose, readLine } = deps;
  switch (event.type) {
    case 'message':
      return event.level === 'debug' && !verbose ? [] : [redactor.text(event.text)];
    case 'retry':
      return [
        redactor.text(
          `${style.warn('retrying')} ${event.what} in ${formatDuration(event.delayMs)} (attempt ${event.attempt} failed: ${event.reason})`,
        ),
      ];
    case 'warning': {
      const frame = event.range ? sourceFrame(event.range, readLine?.(event.range)) : [];
      const hint = event.hint ? [`${style.hint('hint:')} ${event.hint}`] : [];
      const text = event.rule ? `${event.code}: ${event.text}` : event.text;
      return [`${style.warn('warning:')} ${text}`, ...frame, ...hint].map(redactor.text);
    }
    case 'error': {
      const failed = event.error.code === 'BUILD_FAILED' ? deps.board.failed() : undefined;
      const tail = failed?.tail.length
        ? [`${failed.label}: the end of its output`, ...failed.tail.map(indent)]
        : [];
      return [...tail, ...redactor.text(renderError(event.error, deps)).split('\n')];
    }
    default:
      return [];
  }
}

function indent(line: string): string {
  return `  ${line}`;
}
