import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface CountedRequest {
  readonly method: string;
  readonly path: string;
  /** In which round it arrived, from 1. */
  readonly round: number;
  /** Bytes of its body, and of the answer's. */
  sent: number;
  received: number;
}

/**
 * A server before a registry that counts what is asked of it. `GET /v2/` does not count: it is asked only of loopback hosts,
 * to find out whether they speak plain HTTP.
 */
export interface CountingProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly requests: readonly CountedRequest[];
  /** Sequential round trips so far: requests of one round were all sent before any of them was answered. */
  readonly rounds: () => number;
  readonly stop: () => Promise<void>;
}

export interface CountingOptions {
  /** `host:port` that everything goes on to. */
  readonly target: string;
  /**
   * Milliseconds of silence after which a round counts as complete and its requests go on. Rounds are then told apart
   * whatever the speed of the machine; 0 lets everything through at once and does not tell rounds apart.
   */
  readonly holdMs?: number;
}

/** Starts one on a free port of 127.0.0.1. */
export async function startCountingProxy({ target, holdMs = 0 }: CountingOptions): Promise<CountingProxy> {
  const requests: CountedRequest[] = [];
  let held: (() => void)[] = [];
  let round = 0;
  let timer: NodeJS.Timeout | undefined;
  const release = (): void => {
    const ready = held;
    held = [];
    for (const go of ready) go();
  };
  const server = createServer((incoming, response) => {
    const { method = 'GET', url = '/' } = incoming;
    if (url === '/v2/') {
      forward(incoming, response, target, { method, path: url, round, sent: 0, received: 0 });
      return;
    }
    if (held.length === 0) round += 1;
    const counted: CountedRequest = { method, path: url, round, sent: 0, received: 0 };
    requests.push(counted);
    held.push(() => forward(incoming, response, target, counted));
    if (holdMs === 0) return release();
    clearTimeout(timer);
    timer = setTimeout(release, holdMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    host: `127.0.0.1:${address.port}`,
    requests,
    rounds: () => round,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  target: string,
  counted: CountedRequest,
): void {
  const [hostname, port] = target.split(':');
  const { method, url: path, headers } = incoming;
  // The registry's own absolute links must lead back here, so it sees the host that was asked.
  const onward = request({ hostname, port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on('data', (chunk: Buffer) => {
      counted.received += chunk.length;
    });
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  incoming.on('data', (chunk: Buffer) => {
    counted.sent += chunk.length;
  });
  incoming.pipe(onward);
}
