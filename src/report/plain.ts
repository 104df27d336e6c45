import type { Event } from '../core/events.ts';
import { messageLines } from './message-lines.ts';
import { printable } from './printable.ts';
import { createProgressFilter, progressText } from './progress.ts';
import { foldedLog, openLog } from './sections.ts';
import { createStepBoard, type StepView } from './step-board.ts';
import { createStyle } from './style.ts';
import { createTally, summaryLines } from './tally.ts';
import type { Reporter, ReporterOptions } from './types.ts';

/** Lines of others behind which nobody looks for the output of a step that failed. */
const FAR = 20;

/**
 * Lines for logs: every line names its step by number, so that the output of parallel steps can be told apart. Where the
 * service that shows the log can, the output of steps is folded.
 */
export function createPlainReporter(options: ReporterOptions): Reporter {
  const { err, errors: errorSink = err, redactor, ci, now = Date.now } = options;
  const start = now();
  const board = createStepBoard({ now, redactor });
  const tally = createTally();
  let written = 0;
  /** How many lines there were when a step had said something last. */
  const saidAt = new Map<number, number>();
  const showsTail = (): boolean => {
    const failed = board.failed();
    return (
      ci !== undefined ||
      errorSink !== err ||
      (failed !== undefined && written - (saidAt.get(failed.number) ?? 0) > FAR)
    );
  };
  const messages = { ...options, board, style: createStyle(options.color), showsTail };
  const progress = createProgressFilter(now);
  const named = new Set<number>();
  /** Errors come last, where they are looked for. */
  const errors: string[] = [];

  const put = (line: string): void => {
    err.write(`${line}\n`);
    written += 1;
  };
  const log = ci ? foldedLog(ci, put, now) : openLog(put);
  const write = log.line;
  const name = (step: StepView): void => {
    if (named.has(step.number)) return;
    named.add(step.number);
    write(`#${step.number} ${step.label}`);
  };
  const printOutput = (step: StepView, lines: readonly string[]): void => {
    const at = seconds(now() - (step.startedAt ?? start), 2);
    log.output(
      step.number,
      lines.map((line) => `#${step.number} ${at} ${line}`.trimEnd()),
    );
    saidAt.set(step.number, written);
  };
  const waiting = ({ id, ms }: Extract<Event, { type: 'step-waiting' }>): void => {
    const step = board.view(id);
    name(step);
    write(`#${step.number} ${step.waitsFor}, since ${Math.round(ms / 1000)} s`);
  };
  const finish = (event: Extract<Event, { type: 'step-finished' }>): void => {
    const step = board.view(event.id);
    name(step);
    const took = event.outcome === 'built' ? ` ${seconds(event.ms, 1)}s` : '';
    log.end(step.number, [
      ...(event.reason ? [`#${step.number} not cached: ${printable(redactor.text(event.reason))}`] : []),
      `#${step.number} ${OUTCOMES[event.outcome]}${took}`,
    ]);
  };

  return {
    emit: (event) => {
      tally.take(event);
      const lines = board.take(event);
      if (event.type === 'step-started' && !log.busy()) name(board.view(event.id));
      // A stage that is waited for has lines of its own.
      if (event.type === 'step-waiting' && event.stage === undefined) waiting(event);
      if (lines.length > 0 && 'id' in event) printOutput(board.view(event.id), lines);
      if (event.type === 'step-finished') finish(event);
      if (event.type === 'progress' && progress(event)) write(printable(redactor.text(progressText(event))));
      const said = messageLines(event, messages);
      if (event.type === 'error') errors.push(...said);
      else for (const line of said) write(line);
    },
    close: () => {
      log.close();
      for (const line of summaryLines(tally.total(), now() - start)) write(line);
      for (const line of errors) errorSink.write(`${line}\n`);
    },
  };
}

const OUTCOMES = { hit: 'CACHED', built: 'DONE', skipped: 'SKIPPED', failed: 'ERROR' } as const;

function seconds(ms: number, digits: number): string {
  return (ms / 1000).toFixed(digits);
}
