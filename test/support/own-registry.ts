import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService, waitUntilReady } from '../../scripts/lib/service-process.ts';
import { projectRoot } from './envbuilder.ts';

/** `envbuilder registry serve` in a process of its own. */
export interface OwnRegistry {
  readonly host: string;
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
  /** SIGKILL, as the kernel does it. */
  kill(): Promise<void>;
}

/**
 * Starts one.
 * @param dir for its log
 * @param args further flags; without --addr it listens on a port that is free
 */
export async function startOwnRegistry(
  dir: string,
  storage: string,
  args: readonly string[] = ['--addr', '127.0.0.1:0'],
): Promise<OwnRegistry> {
  const logFile = join(dir, `serve-${process.pid}-${performance.now()}.log`);
  const main = join(projectRoot, 'src/cli/main.ts');
  const service = startService(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, 'registry', 'serve', '--dir', storage, ...args],
    logFile,
  );
  let url = '';
  await waitUntilReady('envbuilder registry serve', service, async () => {
    url = /^https?:\/\/\S+$/m.exec(readFileSync(logFile, 'utf8'))?.[0] ?? '';
    if (url === '') throw new Error('no address yet');
  });
  return {
    url,
    host: new URL(url).host,
    pid: service.pid,
    stop: () => service.stop(),
    kill: () => service.stop(0),
  };
}
