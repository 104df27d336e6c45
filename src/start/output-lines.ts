import type { Emit } from '../core/events.ts';
import { createLineBuffer } from '../core/line-buffer.ts';

/** Turns output into messages, a line each, that say what they come from. */
export function createOutput(
  label: string,
  emit: Emit,
): {
  readonly push: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly end: () => void;
} {
  const make = () => ({ lines: createLineBuffer(() => 0), decoder: new TextDecoder() });
  const streams = { stdout: make(), stderr: make() };
  const say = (lines: readonly string[]): void => {
    for (const line of lines) emit({ type: 'message', level: 'info', text: `${label}: ${line}` });
  };
  return {
    push: (stream, chunk) => {
      const { lines, decoder } = streams[stream];
      say(lines.push(decoder.decode(chunk, { stream: true })));
    },
    end: () => {
      for (const { lines, decoder } of Object.values(streams)) {
        say(lines.push(decoder.decode()));
        say(lines.end());
      }
    },
  };
}
