import type { Event } from '../core/events.ts';
import { formatBytes, formatDuration } from '../core/units.ts';
import { progressText } from './progress.ts';

/** Milliseconds that a rate looks back. */
const WINDOW = 5000;
/** Milliseconds of which a rate can be told. */
const ENOUGH = 1000;
/** Milliseconds after which what does not move is forgotten: its failure has been told elsewhere. */
const FORGOTTEN = 30_000;

/** What moves at the moment. */
export interface Traffic {
  take(event: Event): void;
  /** A line for each thing that moves: how far it is, how fast, and how long it will take. */
  lines(): readonly string[];
}

interface Flow {
  /** `pulling: 12 MB of 34 MB`, from what has moved since it began to. */
  readonly text: (flow: Flow) => string;
  readonly unit: 'bytes' | 'objects';
  done: number;
  total: number | undefined;
  /** How far it was when, over the window. */
  samples: readonly { readonly at: number; readonly done: number }[];
}

/** @param now the clock, in milliseconds */
export function createTraffic(now: () => number): Traffic {
  const flows = new Map<string, Flow>();

  const move = (name: string, flow: Flow, done: number, total: number | undefined): void => {
    const at = now();
    flow.done = done;
    flow.total = total;
    const recent = flow.samples.filter((sample) => at - sample.at <= WINDOW);
    flow.samples = [...recent, { at, done }];
    flows.set(name, flow);
  };
  const takeProgress = (event: Extract<Event, { type: 'progress' }>): void => {
    const { what, done, total, unit = 'bytes' } = event;
    if (done === total) {
      flows.delete(what);
      return;
    }
    const text = (flow: Flow): string => progressText({ ...event, done: flow.done });
    const known = flows.get(what);
    move(what, known ? { ...known, text } : begin(text, unit, done), done, total);
  };
  const takeTransfer = ({ direction, bytes, expected = 0 }: Extract<Event, { type: 'transfer' }>): void => {
    const flow = flows.get(direction) ?? begin(transferText(direction), 'bytes', 0);
    const total = Math.max(0, (flow.total ?? 0) + expected);
    const done = flow.done + bytes;
    if (done >= total) flows.delete(direction);
    else move(direction, flow, done, total);
  };
  const begin = (text: Flow['text'], unit: Flow['unit'], done: number): Flow => ({
    text,
    unit,
    done,
    total: undefined,
    samples: [{ at: now(), done }],
  });
  const line = (flow: Flow): string => {
    const rate = rateOf(flow, now());
    if (rate === undefined) return flow.text(flow);
    const speed = flow.unit === 'bytes' ? `, ${formatBytes(rate)}/s` : '';
    const left = flow.total === undefined || rate < 1 ? undefined : ((flow.total - flow.done) / rate) * 1000;
    return `${flow.text(flow)}${speed}${left === undefined ? '' : `, ${timeLeft(left)} left`}`;
  };

  return {
    take: (event) => {
      if (event.type === 'progress') takeProgress(event);
      if (event.type === 'transfer') takeTransfer(event);
    },
    lines: () => {
      for (const [name, flow] of flows) if (now() - flow.samples.at(-1)!.at > FORGOTTEN) flows.delete(name);
      return [...flows.values()].map(line);
    },
  };
}

function transferText(direction: 'pull' | 'push'): Flow['text'] {
  const what = direction === 'pull' ? 'downloads' : 'uploads';
  return ({ done, total }) => progressText({ type: 'progress', what, done, ...(total ? { total } : {}) });
}

/** Units a second over the window up to now; undefined while that is too short to tell. */
function rateOf({ samples, done }: Flow, at: number): number | undefined {
  const from = samples.find((sample) => at - sample.at <= WINDOW) ?? samples.at(-1)!;
  const ms = at - from.at;
  return ms < ENOUGH ? undefined : ((done - from.done) / ms) * 1000;
}

function timeLeft(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : formatDuration(ms);
}
