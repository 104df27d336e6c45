import type { Event } from '../core/events.ts';
import { formatDuration } from '../core/units.ts';
import { cut } from './cut.ts';
import { layOut } from './layout.ts';
import { createLiveRegion } from './live-region.ts';
import { messageLines } from './message-lines.ts';
import { printable } from './printable.ts';
import { createStepBoard } from './step-board.ts';
import { createStyle } from './style.ts';
import { createTally, summaryLines } from './tally.ts';
import { createTraffic } from './traffic.ts';
import type { Reporter, ReporterOptions } from './types.ts';

/** Milliseconds between two pictures. */
const FRAME = 100;

/** What goes on at the moment, with the end of what each step says, below lines that stay. */
export function createTerminalReporter(options: ReporterOptions): Reporter {
  const { err, redactor, verbose, now = Date.now } = options;
  const start = now();
  const style = createStyle(options.color);
  const board = createStepBoard({ now, redactor });
  const tally = createTally();
  const traffic = createTraffic(now);
  // With everything that steps say above it, the error need not repeat it.
  const messages = { ...options, board, style, showsTail: () => !verbose };
  /** Errors come last, where they are looked for. */
  const errors: string[] = [];

  const draw = (): void => {
    const [running, waiting, moving] = [board.running(), board.waiting(), traffic.lines()];
    if (running.length + waiting.length + moving.length === 0) return region.draw([]);
    const { planned, hit, built, failed } = tally.total();
    const elapsed = now() - start;
    const scene = {
      elapsed,
      planned,
      finished: hit + built + failed,
      running,
      waiting,
      traffic: moving.map((text) => printable(redactor.text(text))),
    };
    region.draw(layOut(scene, region.size(), style, now()));
  };
  const region = createLiveRegion(err, draw);
  const finishedLines = (event: Extract<Event, { type: 'step-finished' }>): readonly string[] => [
    finishedLine(event),
    ...(event.reason ? [style.dim(`  not cached: ${printable(redactor.text(event.reason))}`)] : []),
  ];
  const finishedLine = (event: Extract<Event, { type: 'step-finished' }>): string => {
    const label = cut(board.view(event.id).label, region.size().columns - 14);
    if (event.outcome === 'hit') return `${style.good('●')} ${label} ${style.dim('cached')}`;
    if (event.outcome === 'skipped') return `${style.dim('○')} ${label} ${style.dim('skipped')}`;
    const mark = event.outcome === 'built' ? style.good('✔') : style.bad('✖');
    return `${mark} ${label} ${style.dim(formatDuration(event.ms))}`;
  };

  const timer = setInterval(draw, FRAME);
  timer.unref();
  return {
    emit: (event) => {
      tally.take(event);
      traffic.take(event);
      const lines = board.take(event);
      if (verbose && 'id' in event && lines.length > 0)
        region.persist(lines.map((line) => style.dim(`#${board.view(event.id).number} ${line}`)));
      if (event.type === 'step-finished') region.persist(finishedLines(event));
      const said = messageLines(event, messages);
      if (event.type === 'error') errors.push(...said);
      else region.persist(said);
    },
    beside: region.beside,
    close: () => {
      clearInterval(timer);
      region.close();
      for (const line of [...summaryLines(tally.total(), now() - start), ...errors]) err.write(`${line}\n`);
    },
  };
}
