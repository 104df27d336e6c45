import type { CiService } from './types.ts';

/** Keeps the output of steps apart from everything else in a log. */
export interface Sections {
  /** Lines that a step says. */
  output(step: number, lines: readonly string[]): void;
  /** A line about the run, or about a step. */
  line(text: string): void;
  /** Nothing more comes from the step but these lines about it. */
  end(step: number, lines: readonly string[]): void;
  /** Whether a step is writing that others should not break in on. */
  busy(): boolean;
  /** Writes what is held back. */
  close(): void;
}

/** Lines as they come, which name their step themselves. */
export function openLog(write: (line: string) => void): Sections {
  return {
    output: (_step, lines) => lines.forEach(write),
    line: write,
    end: (_step, lines) => lines.forEach(write),
    busy: () => false,
    close: () => {},
  };
}

/** Milliseconds of silence after which a step gives way to another one, and those of talk. */
const SILENCE = 3000;
const TURN = 15_000;
/** Lines that a step keeps back at most. */
const MOST_LINES = 500;

/**
 * A section that a service can fold for the output of a step. Sections lie behind each other, so one step writes at a time:
 * others are held back until it ends, pauses, or has had its turn.
 * @param now the clock, in milliseconds
 */
export function foldedLog(service: CiService, write: (line: string) => void, now: () => number): Sections {
  const { begin, end, safe } = SERVICES[service];
  const counts = new Map<number, number>();
  const heldBack = new Map<number, string[]>();
  let open: { readonly step: number; readonly name: string; readonly since: number } | undefined;
  let spoke = 0;

  const close = (): void => {
    if (open) write(end(open.name, now()));
    open = undefined;
  };
  const say = (step: number, lines: readonly string[]): void => {
    if (lines.length === 0) return;
    if (open?.step !== step) {
      close();
      const count = (counts.get(step) ?? 0) + 1;
      counts.set(step, count);
      open = { step, name: `step_${step}_${count}`, since: now() };
      write(begin(open.name, `#${step} output${count > 1 ? ', continued' : ''}`, now()));
    }
    for (const line of lines) write(safe(line));
    spoke = now();
  };
  const release = (step: number | undefined): void => {
    if (step === undefined) return;
    const lines = heldBack.get(step) ?? [];
    heldBack.delete(step);
    say(step, lines);
  };
  const line = (text: string): void => {
    close();
    for (const one of text.split('\n')) write(safe(one));
  };
  return {
    output: (step, lines) => {
      const held = heldBack.get(step) ?? [];
      held.push(...lines);
      heldBack.set(step, held);
      const waits =
        open !== undefined &&
        open.step !== step &&
        now() - spoke < SILENCE &&
        now() - open.since < TURN &&
        held.length < MOST_LINES;
      if (!waits) release(step);
    },
    line,
    end: (step, lines) => {
      release(step);
      close();
      for (const one of lines) line(one);
      if (!open) release(heldBack.keys().next().value);
    },
    busy: () => open !== undefined,
    close: () => {
      for (const step of heldBack.keys()) release(step);
      close();
    },
  };
}

interface Service {
  readonly begin: (name: string, title: string, ms: number) => string;
  readonly end: (name: string, ms: number) => string;
  /** A line that the service takes for nothing but text. */
  readonly safe: (line: string) => string;
}

const SERVICES: Readonly<Record<CiService, Service>> = {
  github: {
    begin: (_name, title) => `::group::${title}`,
    end: () => '::endgroup::',
    safe: (line) => line.replace(/^(\s*)::/, '$1: :').replaceAll('##[', '## ['),
  },
  gitlab: {
    begin: (name, title, ms) =>
      `\u001b[0Ksection_start:${Math.floor(ms / 1000)}:${name}[collapsed=true]\r\u001b[0K${title}`,
    end: (name, ms) => `\u001b[0Ksection_end:${Math.floor(ms / 1000)}:${name}\r\u001b[0K`,
    safe: (line) => line,
  },
};
