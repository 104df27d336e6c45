import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, type Transport, type TransportOptions } from '../oci/http/transport.ts';
import { readAll } from '../oci/readable.ts';

/** The levels that a Coder server knows. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Sends log lines to a Coder server in the background. */
export interface CoderLogs {
  /** Takes a line; never waits and never throws. */
  line(level: LogLevel, text: string): void;
  /** Sends what is left if the server has answered so far, for a moment at most, and ends. */
  close(): Promise<void>;
}

export interface CoderLogsOptions {
  /** The server's address, as CODER_AGENT_URL has it. */
  readonly url: string;
  readonly token: string;
  readonly transport: TransportOptions;
  /** How close waits this many milliseconds; by the clock unless something else is said. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

interface Log {
  readonly created_at: string;
  readonly level: LogLevel;
  readonly output: string;
}

/** Our source of logs in the server's view of an agent. */
const SOURCE = {
  id: 'eae02ca7-015e-47c0-9957-adf4de198bbd',
  display_name: 'envbuilder',
  icon: '/emojis/1f3d7.png',
} as const;

/** The server keeps this much of all logs of an agent, and this much of a line. */
const MAX_TOTAL = 1024 * 1024;
const MAX_LINE = 1024;
const MAX_BATCH = 250;
const MAX_ANSWER = 64 * 1024;
const BATCH_DELAY_MS = 250;
const REQUEST_MS = 10_000;
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [500, 10_000];
/** How long close waits, by how the server has behaved. */
const GRACE_MS = { healthy: 2000, unknown: 500, failing: 0 } as const;

/**
 * A forwarder to the agent API of a Coder server: it registers a log source and patches the agent's logs in batches, as
 * long as the program runs. A server that is down is asked again, less and less often; nothing waits for it.
 */
export function createCoderLogs({
  url,
  token,
  transport: settings,
  wait = (ms) => sleep(ms),
}: CoderLogsOptions): CoderLogs {
  const transport = createTransport({ ...settings, connections: 1 });
  const stop = new AbortController();
  const hurry = new AbortController();
  const queue: Log[] = [];
  let total = 0;
  let health: keyof typeof GRACE_MS = 'unknown';
  let full = false;
  let sending: Promise<void> | undefined;

  const call = createCall({ base: url, token, transport, stop: stop.signal });
  // null until the server was told of our source.
  let source: string | undefined | null = null;
  const run = async (): Promise<void> => {
    let delay: number = FIRST_RETRY_MS;
    while (queue.length > 0 && !full && !stop.signal.aborted) {
      if (queue.length < MAX_BATCH) await pause(BATCH_DELAY_MS, hurry.signal);
      const batch = queue.slice(0, MAX_BATCH);
      const status: number =
        source === null
          ? await call('POST', 'log-source', SOURCE)
          : await call('PATCH', 'logs', { ...(source ? { log_source_id: source } : {}), logs: batch });
      if (isTransient(status)) {
        health = 'failing';
        await pause(delay, stop.signal);
        delay = Math.min(LAST_RETRY_MS, delay * 2);
        continue;
      }
      health = 'healthy';
      delay = FIRST_RETRY_MS;
      // Servers before log sources have no such address; they take logs without one.
      if (source === null) source = status < 300 ? SOURCE.id : undefined;
      else if (status === 413) full = true;
      else queue.splice(0, batch.length);
    }
    sending = undefined;
  };
  return {
    line: (level, text) => {
      if (full || hurry.signal.aborted) return;
      const created_at = new Date().toISOString();
      for (const output of pieces(text)) {
        total += Buffer.byteLength(output);
        if (total > MAX_TOTAL) return;
        queue.push({ created_at, level, output });
      }
      sending ??= run();
    },
    close: async () => {
      hurry.abort();
      if (sending) await Promise.race([sending, wait(GRACE_MS[health])]);
      stop.abort();
      await transport.close();
    },
  };
}

/** A request of the agent API; the status, or 0 when there was no answer in time. */
function createCall(deps: {
  readonly base: string;
  readonly token: string;
  readonly transport: Transport;
  readonly stop: AbortSignal;
}): (method: 'POST' | 'PATCH', path: string, body: unknown) => Promise<number> {
  const { base, token, transport, stop } = deps;
  return async (method, path, body) => {
    try {
      const { status, body: answer } = await transport.send({
        method,
        url: `${base.replace(/\/+$/, '')}/api/v2/workspaceagents/me/${path}`,
        headers: { 'content-type': 'application/json', 'coder-session-token': token },
        body: () => JSON.stringify(body),
        signal: AbortSignal.any([stop, AbortSignal.timeout(REQUEST_MS)]),
      });
      await readAll(answer, MAX_ANSWER, () => new Error('the answer is too long'));
      return status;
    } catch {
      // Whatever it is, the same is done about it: asking again later.
      return 0;
    }
  };
}

/** Whether asking again may help. A workspace's token is only valid once the server has finished making the workspace. */
function isTransient(status: number): boolean {
  return status === 0 || status >= 500 || [401, 403, 408, 425, 429].includes(status);
}

/** A line as the server takes it: no NUL, and in parts where it is long. */
function pieces(text: string): string[] {
  const clean = text.toWellFormed().replaceAll('\0', '\ufffd');
  const chars = clean.length > MAX_LINE ? Array.from(clean) : [clean];
  if (chars.length === 1) return [clean];
  const parts: string[] = [];
  for (let i = 0; i < chars.length; i += MAX_LINE) parts.push(chars.slice(i, i + MAX_LINE).join(''));
  return parts;
}

/** Waits without keeping the program alive. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {});
}
