import type { Event } from '../core/events.ts';
import { formatDuration } from '../core/units.ts';
import { printableLines } from './printable.ts';
import type { Redactor } from './redact.ts';
import { type RenderOptions, renderError } from './render-error.ts';
import { sourceFrame } from './source-frame.ts';
import type { StepBoard } from './step-board.ts';

export interface MessageDeps extends RenderOptions {
  readonly redactor: Redactor;
  readonly board: StepBoard;
  /** Whether the end of the output of a step that failed has to be shown with the error. */
  readonly showsTail: () => boolean;
}

/** The printable lines for an event that is not about one step's progress; none for events that are. */
export function messageLines(event: Event, deps: MessageDeps): readonly string[] {
  const { style, redactor, verbose, readLine } = deps;
  const clean = (text: string): string => redactor.text(printableLines(redactor.text(text)));
  switch (event.type) {
    case 'message':
      return event.level === 'debug' && !verbose ? [] : [clean(event.text)];
    case 'retry': {
      const { what, delayMs, attempt, reason } = event;
      const text = `${what} in ${formatDuration(delayMs)} (attempt ${attempt} failed: ${reason})`;
      return [`${style.warn('retrying')} ${clean(text)}`];
    }
    case 'warning': {
      const frame = event.range ? sourceFrame(event.range, readLine?.(event.range)) : [];
      const hint = event.hint ? [`${style.hint('hint:')} ${clean(event.hint)}`] : [];
      const text = event.rule ? `${event.code}: ${event.text}` : event.text;
      return [`${style.warn('warning:')} ${clean(text)}`, ...frame.map(redactor.text), ...hint];
    }
    case 'error': {
      const failed =
        event.error.code === 'BUILD_FAILED' && deps.showsTail() ? deps.board.failed() : undefined;
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
