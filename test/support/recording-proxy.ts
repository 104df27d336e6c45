import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server before a registry that notes what is asked of it, and can play dead. */
export interface RecordingProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** `METHOD path` of every request since the last call. */
  taken(): readonly string[];
  /** From now on, connections are cut, or let through again. */
  setDown(down: boolean): void;
  readonly stop: () => Promise<void>;
}

/** Starts one on a free port. @param target `host:port` that everything goes on to */
export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  let seen: string[] = [];
  let down = false;
  const server = createServer((incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    if (down) {
      incoming.socket.destroy();
      return;
    }
    const { method = 'GET', headers, url } = incoming;
    const onward = request(new URL(url ?? '/', `http://${target}`), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    setDown: (value) => {
      down = value;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
