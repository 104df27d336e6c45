import { connect, createServer, type ListenOptions, type NetConnectOpts, type Server } from 'node:net';

/** Hands connections on: where it listens and where it leads to may lie in different network namespaces. */
export function startRelay(from: ListenOptions, to: NetConnectOpts): Promise<Server> {
  const server = createServer((incoming) => {
    const outgoing = connect(to);
    incoming.pipe(outgoing).pipe(incoming);
    // The other end is told by the end of the stream.
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const)
      socket.on('error', () => other.destroy());
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(from, () => resolve(server));
  });
}
