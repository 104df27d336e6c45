import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../core/testing.ts';

const BINARY = '/usr/bin/docker-registry';

/** Why tests against Debian's docker-registry cannot run here, or false. */
export const noRegistry: string | false = existsSync(BINARY) ? false : `${BINARY} is not installed`;

export interface TestRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** The root directory that it serves. */
  readonly root: string;
  stop(): Promise<void>;
}

/** Starts CNCF Distribution on a free port over `root`, or over a temporary directory that is removed by `stop`. */
export async function startRegistry(root?: string): Promise<TestRegistry> {
  const dir = mkdtempSync(join(tmpdir(), 'registry-'));
  const served = root ?? join(dir, 'data');
  const port = await freePort();
  const config = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: served } },
    http: { addr: `127.0.0.1:${port}` },
  };
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(config));
  const child = spawn(BINARY, ['serve', join(dir, 'config.yml')], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // Wait: between two questions, until it answers or ends.
  while (child.exitCode === null && !(await answers(port))) await sleep(50);
  return {
    host: `127.0.0.1:${port}`,
    root: served,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/v2/`).then(
    (response) => response.ok,
    () => false,
  );
}
