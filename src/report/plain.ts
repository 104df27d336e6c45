import { stripVTControlCharacters } from 'node:util';
import type { Event } from '../core/events.ts';
import { messageLines } from './message-lines.ts';
import { createProgressFilter, progressText } from './progress.ts';
import { createStepBoard, type StepView, WAITING } from './step-board.ts';
import { createStyle } from './style.ts';
import { createTally, summaryLines } from './tally.ts';
import type { Reporter, ReporterOptions } from './types.ts';

/** Lines for logs: every line names its step by number, so that the output of parallel steps can be told apart. */
export function createPlainReporter(options: ReporterOptions): Reporter {
  const { err, errors: errorSink = err, redactor, now = Date.now } = options;
  const start = now();
  const board = createStepBoard({ now, redactor });
  const tally = createTally();
  const messages = { ...options, board, style: createStyle(options.color) };
  const progress = createProgressFilter(now);
  const named = new Set<number>();
  /** Errors come last, where they are looked for. */
  const errors: string[] = [];

  const write = (line: string): void => {
    err.write(`${line}\n`);
  };
  const name = (step: StepView): void => {
    if (named.has(step.number)) return;
    named.add(step.number);
    write(`#${step.number} ${step.label}`);
  };
  const printOutput = (step: StepView, lines: readonly string[]): void => {
    const at = seconds(now() - (step.startedAt ?? start), 2);
    for (const line of lines) write(`#${step.number} ${at} ${stripVTControlCharacters(line)}`.trimEnd());
  };
  const finish = (event: Extract<Event, { type: 'step-finished' }>): void => {
    const step = board.view(event.id);
    name(step);
    if (event.reason) write(`#${step.number} not cached: ${redactor.text(event.reason)}`);
    write(
      `#${step.number} ${OUTCOMES[event.outcome]}${event.outcome === 'built' ? ` ${seconds(event.ms, 1)}s` : ''}`,
    );
  };

  return {
    emit: (event) => {
      tally.take(event);
      const lines = board.take(event);
      // A stage that is waited for has lines of its own.
      const waits = event.type === 'step-waiting' && event.stage === undefined;
      if (event.type === 'step-started' || waits) name(board.view(event.id));
      if (waits) write(`#${board.view(event.id).number} ${WAITING}, since ${Math.round(event.ms / 1000)} s`);
      if (lines.length > 0 && 'id' in event) printOutput(board.view(event.id), lines);
      if (event.type === 'step-finished') finish(event);
      if (event.type === 'progress' && progress(event)) write(redactor.text(progressText(event)));
      const said = messageLines(event, messages);
      if (event.type === 'error') errors.push(...said);
      else for (const line of said) write(line);
    },
    close: () => {
      for (const line of summaryLines(tally.total(), now() - start)) write(line);
      for (const line of errors) errorSink.write(`${line}\n`);
    },
  };
}

const OUTCOMES = { hit: 'CACHED', built: 'DONE', skipped: 'SKIPPED', failed: 'ERROR' } as const;

function seconds(ms: number, digits: number): string {
  return (ms / 1000).toFixed(digits);
}
