import type { Event, StepId } from '../core/events.ts';
import { createLineBuffer, type LineBuffer } from '../core/line-buffer.ts';
import { printable } from './printable.ts';
import type { Redactor } from './redact.ts';

/** Lines of a failing step that are repeated at its error. */
const TAIL_LINES = 20;

/** What is said of a step that waits. */
function waitingText(stage: string | undefined): string {
  return `waiting for ${stage === undefined ? 'another build of this step' : `the stage ${stageLabel(stage)}`}`;
}

/** What the reporters know of a step. */
export interface StepView {
  /** From 1, in the order of the plan. */
  readonly number: number;
  /** `[build 3/7] RUN make`: stage, place in the stage, first line of the instruction. */
  readonly label: string;
  /** When it began to run, or to wait, in the clock's milliseconds. */
  readonly startedAt: number | undefined;
  /** What it waits for; undefined for a step that does not wait. */
  readonly waitsFor: string | undefined;
  /** The end of its output, printable, with the line that it is about to write last. */
  readonly tail: readonly string[];
}

/** Follows the steps of a run. */
export interface StepBoard {
  /** Takes note of an event, and returns the lines of output that it completes. */
  take(event: Event): readonly string[];
  view(id: StepId): StepView;
  /** Steps that were started and are not finished, in order of the plan. */
  running(): readonly StepView[];
  /** Steps that would be started if they need not wait, in order of the plan. */
  waiting(): readonly StepView[];
  /** The first step that failed. */
  failed(): StepView | undefined;
}

interface MutableStep {
  number: number;
  stageName: string;
  text: string;
  startedAt: number | undefined;
  state: 'planned' | 'waiting' | 'running' | 'done' | 'failed';
  waitsFor: string | undefined;
  tail: string[];
  /** What it has written of a line that is not finished. */
  unfinished: string | undefined;
  buffers: Record<'stdout' | 'stderr', LineBuffer>;
}

/** @param now the clock, in milliseconds */
export function createStepBoard({ now, redactor }: { now: () => number; redactor: Redactor }): StepBoard {
  const steps = new Map<string, MutableStep>();
  const keyOf = ({ stage, step }: StepId): string => `${stage}.${step}`;

  const stepOf = (id: StepId): MutableStep => {
    const key = keyOf(id);
    const known = steps.get(key);
    if (known) return known;
    const buffer = (): LineBuffer => createLineBuffer(redactor.longest);
    const made: MutableStep = {
      number: steps.size + 1,
      stageName: String(id.stage),
      text: `step ${id.step + 1}`,
      startedAt: undefined,
      state: 'planned',
      waitsFor: undefined,
      tail: [],
      unfinished: undefined,
      buffers: { stdout: buffer(), stderr: buffer() },
    };
    steps.set(key, made);
    return made;
  };

  /** Secrets are masked as they were written, and as they can be read once what controls a terminal is gone. */
  const said = (line: string): string => redactor.text(printable(redactor.text(line)));
  const keep = (step: MutableStep, raw: readonly string[]): readonly string[] => {
    const lines = raw.map(said);
    step.tail = [...step.tail, ...lines].slice(-TAIL_LINES);
    return lines;
  };

  const view = (id: StepId): StepView => {
    const step = stepOf(id);
    const total = [...steps.keys()].filter((key) => key.startsWith(`${id.stage}.`)).length;
    const place = `${step.stageName} ${id.step + 1}/${Math.max(total, id.step + 1)}`;
    const { number, startedAt, waitsFor, unfinished } = step;
    const tail = unfinished === undefined ? step.tail : [...step.tail, unfinished];
    return { number, startedAt, waitsFor, tail, label: `[${place}] ${said(firstLine(step.text))}` };
  };
  const ids = (state: MutableStep['state']): StepId[] =>
    [...steps].filter(([, step]) => step.state === state).map(([key]) => idFrom(key));

  return {
    view,
    running: () => ids('running').map(view),
    waiting: () => ids('waiting').map(view),
    failed: () => ids('failed').map(view)[0],
    take: (event) => {
      switch (event.type) {
        case 'step-planned': {
          const step = stepOf(event.id);
          step.stageName = printable(stageLabel(event.stageName));
          step.text = event.text;
          return [];
        }
        case 'step-waiting': {
          const step = stepOf(event.id);
          step.startedAt = now() - event.ms;
          step.state = 'waiting';
          step.waitsFor = said(waitingText(event.stage));
          return [];
        }
        case 'step-started': {
          const step = stepOf(event.id);
          step.startedAt = now();
          step.state = 'running';
          step.waitsFor = undefined;
          return [];
        }
        case 'step-output': {
          const step = stepOf(event.id);
          const lines = keep(step, step.buffers[event.stream].push(event.text));
          const state = step.buffers[event.stream].overwritten();
          step.unfinished = state === undefined ? undefined : said(state);
          return lines;
        }
        case 'step-finished': {
          const step = stepOf(event.id);
          step.state = event.outcome === 'failed' ? 'failed' : 'done';
          step.waitsFor = undefined;
          step.unfinished = undefined;
          return keep(step, [...step.buffers.stdout.end(), ...step.buffers.stderr.end()]);
        }
        default:
          return [];
      }
    },
  };
}

/** What a stage is called, which has a number where it has no name. */
export function stageLabel(name: string): string {
  return /^\d+$/.test(name) ? `stage-${name}` : name;
}

function idFrom(key: string): StepId {
  const [stage, step] = key.split('.').map(Number);
  return { stage: stage!, step: step! };
}

function firstLine(text: string): string {
  const lines = text.split('\n');
  const first = lines[0]!.trimEnd().replace(/\s*\\$/, '');
  return lines.length > 1 ? `${first} …` : first;
}
