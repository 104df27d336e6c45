import { existsSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Scripts that run in a thread or a process of their own, and where their sources lie. In the bundle of the runtime image
 * each of them is one file, all of them beside the bundle's other files.
 */
export const ENTRY_POINTS = {
  beside: 'src/start/beside-main.ts',
  'container-inside': 'src/cli/inside.ts',
  'container-join': 'src/up/join-main.ts',
  'container-start': 'src/up/start-main.ts',
  'compress-worker': 'src/layer/compress-worker.ts',
  'copy-worker': 'src/builder/steps/copy-worker.ts',
  'hash-worker': 'src/context/hash-worker.ts',
  'extract-worker': 'src/rootfs/extract/worker.ts',
  'password-worker': 'src/registry/password-worker.ts',
  'run-helper': 'src/sys/run-helper.ts',
  'run-as-init': 'src/sys/run-as-init.ts',
  'signal-watch': 'src/sys/signal-watch.ts',
  sweep: 'src/builder/work-dir/sweep.ts',
} as const;

export type EntryPoint = keyof typeof ENTRY_POINTS;

/** Programs that the runtime image brings along. */
export type OwnProgram = 'bzip2' | 'git' | 'sh' | 'ssh' | 'ssh-add' | 'ssh-agent' | 'ssh-keygen' | 'xz';

/** This file's own name tells: Node runs TypeScript only from sources. */
const fromSources = import.meta.url.endsWith('.ts');
const root = new URL(fromSources ? '../../' : './', import.meta.url);

/** The script of a thread or process, whether we run from sources or from the bundle. */
export function entryPoint(name: EntryPoint): URL {
  return new URL(fromSources ? ENTRY_POINTS[name] : `${name}.js`, root);
}

/**
 * The environment of our own threads and child processes: nothing, but where Node keeps what our sources compile to.
 * Without it each of them takes 50 ms of processor time more from sources; the bundle needs none.
 */
export function ownEnvironment(): Record<string, string> {
  const versioned = fromSources ? getCompileCacheDir() : undefined;
  return versioned === undefined ? {} : { NODE_COMPILE_CACHE: dirname(versioned) };
}

/** Our package.json. */
export function packageFile(): URL {
  return new URL('package.json', root);
}

/** The directory of the runtime image that holds all that is ours; undefined when we run from sources. */
export function ownDirectory(): string | undefined {
  return fromSources ? undefined : fileURLToPath(new URL('..', root)).replace(/\/$/, '');
}

/**
 * What to start a program with: its absolute path in the runtime image, where PATH does not lead to it, else its bare
 * name. git finds ssh and the others by itself.
 */
export function ownProgram(name: OwnProgram): string {
  const own = ownDirectory();
  const path = `${own}/bin/${name}`;
  return own !== undefined && existsSync(path) ? path : name;
}
