import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { runtimeImage } from '../../scripts/lib/runtime-image.ts';
import { run } from '../../scripts/lib/shell.ts';
import type { BuildResult } from '../../src/builder/types.ts';
import { projectRoot } from './envbuilder.ts';

/** One build in place. */
export interface ContainerJob {
  /** As for `envbuilder build`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly keep?: readonly string[];
  readonly kanikoDir?: string;
  /** Keeps all rights. */
  readonly privileged?: boolean;
  readonly shareRoot?: boolean;
}

export interface ContainerOutcome {
  readonly result?: BuildResult;
  readonly error?: { readonly code: string; readonly message: string; readonly stack: string };
  /** Whether /canary/bird is there at the end. */
  readonly canary?: boolean;
  /** What the steps wrote, and warnings. */
  readonly output: string;
  /** How often the phase of unpacking layers was told; undefined where nothing came back. */
  readonly extractions?: number;
}

/** A container of the runtime image in namespaces of its own; its root file system stays between builds. */
export interface OwnContainer {
  readonly dir: string;
  /** The container's writable layer: with an empty image below, all that is in its root but `/.envbuilder`. */
  readonly upper: string;
  /** Shell commands that make mounts below `$root` before the container starts. */
  prepare(script: string): void;
  build(job: ContainerJob, options?: ContainerOptions): Promise<ContainerOutcome>;
  close(): void;
}

export interface ContainerOptions {
  /** Kills the container as soon as this path exists; the outcome is then an error without a code. */
  readonly killWhenThere?: string;
  /** What the root file system is, if not that of a container. */
  readonly root?: 'chroot' | 'shared' | 'disk';
}

/** Between two looks whether a container is to be killed. */
const WATCH_MS = 20;

/** Unpacks the runtime image of this checkout. */
export async function unpackRuntimeImage(registry: { readonly host: string } | undefined): Promise<string> {
  const dir = temporaryDir('runtime-root');
  const { tar } = await runtimeImage(registry);
  const script = `
    tar -xf "$1" -C "$2" && cd "$2" && mkdir root
    for layer in $(tr ',' '\\n' <manifest.json | grep -o '[0-9a-f]\\{64\\}\\.tar'); do tar -xpf "$layer" -C root --numeric-owner; done
    mkdir root/.envbuilder/checkout && rm -f ./*.tar`;
  await run('/bin/sh', ['-euc', script, 'sh', tar, dir]);
  return dir;
}

/**
 * @param image what `unpackRuntimeImage` gave
 * @param shared a directory that is mounted into the container under its own name
 */
export function createOwnContainer(image: string, shared: string): OwnContainer {
  const dir = temporaryDir('container');
  mkdirSync(join(dir, 'job'));
  const link = join(dir, 'image');
  return {
    dir,
    upper: join(dir, 'upper'),
    prepare: (script) => writeFileSync(join(dir, 'prepare.sh'), script),
    build: async (job, { killWhenThere, root = 'container' } = {}) => {
      if (!existsSync(link)) await run('/bin/ln', ['-s', join(image, 'root'), link]);
      const file = join(shared, `job-${process.hrtime.bigint()}`);
      writeFileSync(file, JSON.stringify(job));
      const shell = join(import.meta.dirname, 'own-container.sh');
      const child = spawn(
        'unshare',
        [
          '--mount',
          '--pid',
          '--fork',
          '--kill-child',
          '/bin/sh',
          shell,
          dir,
          projectRoot,
          shared,
          'own-container-main.ts',
          root,
        ],
        {
          env: {
            PATH: `/.envbuilder/bin:${process.env.PATH}`,
            ENVBUILDER_TEST_JOB: file,
            SECRET_OF_PROCESS_1: 'swordfish',
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let log = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (log += String(bytes)));
      const watch = setInterval(() => {
        if (killWhenThere !== undefined && existsSync(killWhenThere)) child.kill('SIGKILL');
      }, WATCH_MS);
      await once(child, 'close');
      clearInterval(watch);
      if (!existsSync(`${file}.out`))
        return { error: { code: '', message: 'no outcome', stack: log }, output: log };
      const outcome = JSON.parse(readFileSync(`${file}.out`, 'utf8')) as ContainerOutcome;
      rmSync(file);
      rmSync(`${file}.out`);
      return { ...outcome, output: outcome.output + log };
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
