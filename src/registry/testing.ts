import type { TestContext } from 'node:test';
import type { Event } from '../core/events.ts';
import { tempDir } from '../core/testing.ts';
import { type ServerOptions, startRegistryServer } from './server.ts';

/** A server on a free port over a temporary directory; both end with the test. */
export async function startTestServer(t: TestContext, options: Partial<ServerOptions> = {}) {
  const events: Event[] = [];
  const root = options.root ?? tempDir(t);
  const emit = (event: Event): void => void events.push(event);
  const server = await startRegistryServer({ host: '127.0.0.1', port: 0, root, emit, ...options });
  t.after(() => server.close(0));
  return { root, url: server.url, host: new URL(server.url).host, events };
}
