import type { Meter } from '@opentelemetry/api';
import type { Event } from '../../core/events.ts';
import type { Tally } from '../tally.ts';

/** Counts the events of one run. */
export interface RunMetrics {
  take(event: Event): void;
  /**
   * @param ms how long the run took
   * @param outcome `ok`, or the code of the error
   */
  end(tally: Tally, ms: number, outcome: string): void;
}

/** Instruments whose names and units follow the conventions of OpenTelemetry: seconds, bytes, counts in braces. */
export function createRunMetrics(meter: Meter, command: string): RunMetrics {
  const runs = meter.createHistogram('envbuilder.run.duration', {
    unit: 's',
    description: 'Time of a run, by command and outcome',
  });
  const phases = meter.createHistogram('envbuilder.phase.duration', {
    unit: 's',
    description: 'Time of a phase; phases overlap',
  });
  const steps = meter.createCounter('envbuilder.steps', {
    unit: '{step}',
    description: 'Steps of Dockerfiles, by outcome',
  });
  const bytes = meter.createCounter('envbuilder.transfer.size', {
    unit: 'By',
    description: 'Bytes from and to registries, by direction',
  });
  return {
    take: (event) => {
      if (event.type === 'phase') phases.record(event.ms / 1000, { command, phase: event.phase });
      if (event.type === 'step-finished') steps.add(1, { command, outcome: event.outcome });
    },
    end: ({ bytesPulled, bytesPushed }, ms, outcome) => {
      runs.record(ms / 1000, { command, outcome });
      bytes.add(bytesPulled, { command, direction: 'pull' });
      bytes.add(bytesPushed, { command, direction: 'push' });
    },
  };
}
