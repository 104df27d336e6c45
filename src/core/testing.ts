import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** A directory that is removed when the test ends. */
export function tempDir(t: TestContext): string {
  // What a test has started may write its last file meanwhile, hence the retries.
  const dir = mkdtempSync(join(tmpdir(), 'envbuilder-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10 }));
  return dir;
}

/** A directory for the tests of a file, removed after the last of them. */
export function scratchDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `envbuilder-${name}-`));
  after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** How long a test waits for what it cannot do without, in milliseconds: long enough for a machine that does much else. */
export const PATIENCE_MS = 600_000;

/**
 * Waits until something is so.
 * @throws Error when it is not after PATIENCE_MS
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it was waited in vain until ${what}`);
    await sleep(10);
  }
}

/** Ends what is left of a group of processes, of which nothing may be there. @param leader what was started as `detached` */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * A TCP port of 127.0.0.1 that nobody listens on. It is below those that Linux hands out by itself (32768 and up), so that
 * no connection takes it before a server does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
