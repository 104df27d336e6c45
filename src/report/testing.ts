import type { Event, StepId } from '../core/events.ts';

/** An event and the moment it happens at, in milliseconds. */
export type TimedEvent = readonly [at: number, event: Event];

const KEY = `sha256:${'a'.repeat(64)}` as const;
const RANGE = { file: 'Dockerfile', start: { line: 1, column: 1 }, end: { line: 1, column: 5 } };

/** Events of steps, short to write. */
export const step = {
  planned: (id: StepId, stageName: string, text: string): Event => ({
    type: 'step-planned',
    id,
    stageName,
    text,
    range: RANGE,
  }),
  started: (id: StepId): Event => ({ type: 'step-started', id }),
  output: (id: StepId, text: string, stream: 'stdout' | 'stderr' = 'stdout'): Event => ({
    type: 'step-output',
    id,
    stream,
    text,
  }),
  finished: (id: StepId, outcome: 'hit' | 'built' | 'failed', ms: number, reason?: string): Event => ({
    type: 'step-finished',
    id,
    outcome,
    ms,
    key: KEY,
    ...(reason === undefined ? {} : { reason }),
  }),
};
