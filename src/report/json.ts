import type { Event, StepId } from '../core/events.ts';
import { createLineBuffer, type LineBuffer } from '../core/line-buffer.ts';
import { errorRecord } from './render-error.ts';
import { createTally } from './tally.ts';
import type { Reporter, ReporterOptions } from './types.ts';

type Output = Extract<Event, { readonly type: 'step-output' }>;

/**
 * One JSON object a line: the events as they are, each with its `time`; output of steps comes in whole lines, and a
 * `summary` is the last line.
 */
export function createJsonReporter({ err, redactor, now = Date.now }: ReporterOptions): Reporter {
  const start = now();
  const tally = createTally();
  const buffers = new Map<string, { readonly buffer: LineBuffer; readonly of: Omit<Output, 'text'> }>();
  const write = (record: object): void => {
    const time = new Date(now()).toISOString();
    err.write(`${printableJson(redactor.value({ time, ...record }))}\n`);
  };
  const bufferOf = ({ text: _, ...of }: Output) => {
    const key = `${of.id.stage}.${of.id.step}.${of.stream}`;
    const entry = buffers.get(key) ?? { of, buffer: createLineBuffer(redactor.longest) };
    buffers.set(key, entry);
    return entry;
  };
  const flush = (id?: StepId): void => {
    for (const { buffer, of } of buffers.values()) {
      if (id && (of.id.stage !== id.stage || of.id.step !== id.step)) continue;
      for (const text of buffer.end()) write({ ...of, text });
    }
  };
  return {
    emit: (event) => {
      tally.take(event);
      if (event.type === 'step-output') {
        const { buffer, of } = bufferOf(event);
        for (const text of buffer.push(event.text)) write({ ...of, text });
        return;
      }
      if (event.type === 'step-finished') flush(event.id);
      write(event.type === 'error' ? { type: 'error', error: errorRecord(event.error) } : event);
    },
    close: () => {
      flush();
      write({ type: 'summary', ms: now() - start, ...tally.total() });
    },
  };
}

/** JSON that no terminal takes for more than text: what JSON allows to stand as it is gets escaped too. */
export function printableJson(value: unknown): string {
  const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, escaped);
}
