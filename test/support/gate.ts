import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A web server whose next request waits, where it is told so. */
export async function openGate(t: TestContext) {
  let held: { readonly arrived: () => void; readonly released: Promise<void> } | undefined;
  const server = createServer((_, response) => {
    const { arrived, released } = held ?? { arrived: () => {}, released: Promise.resolve() };
    held = undefined;
    arrived();
    void released.then(() => response.end('open\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    hold: () => {
      const arrived = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      held = { arrived: arrived.resolve, released: released.promise };
      return { arrived: arrived.promise, release: released.resolve };
    },
  };
}
