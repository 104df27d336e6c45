import { stripVTControlCharacters } from 'node:util';
import { createLogUpdate } from 'log-update';
import type { Event } from '../core/events.ts';
import { formatDuration } from '../core/units.ts';
import { messageLines } from './message-lines.ts';
import { progressText } from './progress.ts';
import { createStepBoard, type StepView } from './step-board.ts';
import { createStyle } from './style.ts';
import { createTally, summaryLines } from './tally.ts';
import type { Reporter, ReporterOptions } from './types.ts';

/** Milliseconds between two pictures. */
const FRAME = 100;

/** A live region with one line for every running step, below lines that stay. */
export function createTerminalReporter(options: ReporterOptions): Reporter {
  const { err, redactor, verbose, now = Date.now } = options;
  const start = now();
  const style = createStyle(options.color);
  const board = createStepBoard({ now, redactor });
  const tally = createTally();
  const messages = { ...options, board, style };
  const progress = new Map<string, string>();
  // The library types its stream more widely than what it uses: write, rows and columns.
  const live = createLogUpdate(err as unknown as NodeJS.WritableStream);
  const columns = (): number => err.columns ?? 80;
  /** Errors come last, where they are looked for. */
  const errors: string[] = [];
  let dirty = false;

  const draw = (): void => {
    const lines = [
      ...board.running().map(runningLine),
      ...[...progress.values()].map((text) => style.dim(`  ${text}`)),
    ];
    if (lines.length > 0) live(lines.join('\n'));
    else live.clear();
    dirty = false;
  };
  const persist = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    live.clear();
    err.write(`${lines.join('\n')}\n`);
    dirty = true;
  };
  const runningLine = (step: StepView): string => {
    const time = formatDuration(now() - (step.startedAt ?? start));
    const room = columns() - time.length - 5;
    const label = clip(step.label, Math.max(20, room));
    const said = clip(step.lastLine, room - label.length - 3);
    return `${style.warn('▸')} ${label} ${style.dim(time)}${said ? style.dim(` │ ${said}`) : ''}`;
  };
  const finishedLines = (event: Extract<Event, { type: 'step-finished' }>): readonly string[] => [
    finishedLine(event),
    ...(event.reason ? [style.dim(`  not cached: ${redactor.text(event.reason)}`)] : []),
  ];
  const finishedLine = (event: Extract<Event, { type: 'step-finished' }>): string => {
    const label = clip(board.view(event.id).label, columns() - 14);
    if (event.outcome === 'hit') return `${style.good('●')} ${label} ${style.dim('cached')}`;
    if (event.outcome === 'skipped') return `${style.dim('○')} ${label} ${style.dim('skipped')}`;
    const mark = event.outcome === 'built' ? style.good('✔') : style.bad('✖');
    return `${mark} ${label} ${style.dim(formatDuration(event.ms))}`;
  };

  const timer = setInterval(() => {
    if (dirty || board.running().length > 0) draw();
  }, FRAME);
  timer.unref();
  return {
    emit: (event) => {
      tally.take(event);
      const lines = board.take(event);
      if (verbose && 'id' in event && lines.length > 0) {
        persist(
          lines.map((line) => style.dim(`#${board.view(event.id).number} ${stripVTControlCharacters(line)}`)),
        );
      }
      if (event.type === 'step-finished') persist(finishedLines(event));
      if (event.type === 'progress') {
        if (event.done === event.total) progress.delete(event.what);
        else progress.set(event.what, redactor.text(progressText(event)));
        dirty = true;
      }
      const said = messageLines(event, messages);
      if (event.type === 'error') errors.push(...said);
      else persist(said);
    },
    close: () => {
      clearInterval(timer);
      live.clear();
      live.done();
      for (const line of [...summaryLines(tally.total(), now() - start), ...errors]) err.write(`${line}\n`);
    },
  };
}

/** Text without control characters, cut to a width that counts every character as one column. */
function clip(text: string, width: number): string {
  const plain = stripVTControlCharacters(text)
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trimEnd();
  if (plain.length <= width) return plain;
  return width < 2 ? '' : `${plain.slice(0, width - 1)}…`;
}
