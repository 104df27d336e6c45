import type { Event } from '../core/events.ts';
import { printableJson } from './json.ts';
import type { Redactor } from './redact.ts';
import { errorRecord } from './render-error.ts';
import { createTally } from './tally.ts';

/** Gathers what a pod says about its run when it has ended. */
export interface TerminationMessage {
  take(event: Event): void;
  /** The summary of what was taken until now, as one line of JSON. */
  text(): string;
}

/** Bytes that Kubernetes keeps of a container's message. */
const MOST_BYTES = 4096;

/** @param now the clock, in milliseconds */
export function createTerminationMessage(
  command: string,
  redactor: Redactor,
  now: () => number = Date.now,
): TerminationMessage {
  const start = now();
  const tally = createTally();
  let image: string | undefined;
  let error: Readonly<Record<string, unknown>> | undefined;
  return {
    take: (event) => {
      tally.take(event);
      if (event.type === 'message') image = event.image ?? image;
      if (event.type === 'error') error = errorRecord(event.error);
    },
    text: () => {
      const { planned, hit, built, failed, bytesPulled, bytesPushed } = tally.total();
      const summary = redactor.value({
        command,
        outcome: error?.code ?? 'ok',
        seconds: Math.round((now() - start) / 100) / 10,
        ...(image === undefined ? {} : { image }),
        steps: { planned, hit, built, failed },
        bytes: { pulled: bytesPulled, pushed: bytesPushed },
        ...(error === undefined ? {} : { error }),
      });
      return `${fitting(summary)}\n`;
    },
  };
}

/** Every text is cut at the same length, the longest at which the whole fits. */
function fitting(summary: unknown): string {
  for (let most = MOST_BYTES; ; most = Math.floor(most / 2)) {
    const text = printableJson(cutTexts(summary, most));
    if (Buffer.byteLength(text) < MOST_BYTES) return text;
  }
}

function cutTexts(value: unknown, most: number): unknown {
  if (typeof value === 'string')
    return value.length <= most ? value : `${value.slice(0, most).toWellFormed()}…`;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cutTexts(item, most)]));
}
