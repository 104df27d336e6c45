import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runtimeImage } from '../../scripts/lib/runtime-image.ts';
import type { Services } from '../../scripts/lib/services.ts';
import { capture, type Finished, run } from '../../scripts/lib/shell.ts';
import { PATIENCE_MS } from '../../src/core/testing.ts';
import { type Environment, missingService, openEnvironment } from './environment.ts';

export interface ContainerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments of docker run. */
  readonly docker?: readonly string[];
  /** Arguments of the program itself; without any, it is a start. */
  readonly args?: readonly string[];
  /** Left out, the runtime image. */
  readonly image?: string;
  /** Files of the workspace, by path; without any, there is no workspace mount. */
  readonly files?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** A container that runs on. */
export interface Container {
  readonly name: string;
  docker(...args: readonly string[]): Promise<Finished>;
  /** Standard output and error so far. */
  logs(): Promise<string>;
  /** The output of a shell command in it. */
  exec(script: string): Promise<string>;
  /** Waits until the log matches; fails with the log when the container ends before, or it takes too long. */
  until(pattern: RegExp): Promise<string>;
  /** Waits for its end and gives its exit code. */
  end(): Promise<number>;
}

/** Runs containers of the runtime image in the engine of the tests. */
export interface ContainerHost {
  /** A directory that the engine can mount; its files are written first. */
  directory(files: Readonly<Record<string, string>>): string;
  /** Runs a container to its end. */
  run(options: ContainerOptions): Promise<Finished>;
  /** Starts a container in the background. */
  start(options: ContainerOptions): Promise<Container>;
  docker(args: readonly string[], timeoutMs?: number): Promise<Finished>;
  close(): Promise<void>;
}

/** A host for the tests of a file. */
export interface Containers extends Omit<ContainerHost, 'close'>, Pick<Environment, 'services'> {
  /** Why there is none, for `t.skip`. */
  readonly missing: string | undefined;
}

export const WORKSPACE = '/workspaces/app';

/** A host of containers for the tests of a file: there in its tests, and closed after the last of them. */
export function useContainers(): Containers {
  let environment: Environment;
  let host: ContainerHost | undefined;
  let missing: string | undefined;
  before(async () => {
    environment = await openEnvironment();
    missing = missingService(environment.services, ['docker', 'registry', 'http']);
    if (missing === undefined) host = await openContainerHost(environment.services);
  });
  after(async () => {
    await host?.close();
    await environment.stop();
  });
  return {
    get services() {
      return environment.services;
    },
    get missing() {
      return missing;
    },
    directory: (files) => host!.directory(files),
    run: (options) => host!.run(options),
    start: (options) => host!.start(options),
    docker: (args, timeoutMs) => host!.docker(args, timeoutMs),
  };
}

/** Loads the runtime image into the engine. Containers are on the machine's network, with Docker's default rights. */
export async function openContainerHost({ docker, registry, dir }: Services): Promise<ContainerHost> {
  if (!docker || !registry) throw new Error('this needs an engine and a registry');
  const { tar, reference } = await runtimeImage(registry);
  await run(docker.command, ['load', '--quiet', '--input', tar], { env: docker.env });
  const names: string[] = [];
  const directories: string[] = [];
  let count = 0;
  const call = (args: readonly string[], timeoutMs = PATIENCE_MS): Promise<Finished> =>
    capture(docker.command, args, { env: docker.env, timeoutMs });
  const directory = (files: Readonly<Record<string, string>>): string => {
    count += 1;
    // The engine sees no other directory of ours.
    const made = join(dir, `docker/start-${process.pid}-${count}`);
    directories.push(made);
    mkdirSync(made);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(made, name)), { recursive: true });
      writeFileSync(join(made, name), text);
    }
    return made;
  };
  const argumentsOf = ({
    env = {},
    docker: more = [],
    image = reference,
    args = [],
    files,
  }: ContainerOptions): string[] => [
    '--network=host',
    ...(files ? [`--volume=${directory(files)}:${WORKSPACE}`] : []),
    `--env=ENVBUILDER_WORKSPACE_FOLDER=${WORKSPACE}`,
    ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
    ...more,
    image,
    ...args,
  ];
  return {
    directory,
    docker: call,
    run: (options) => call(['run', '--rm', ...argumentsOf(options)], options.timeoutMs),
    start: async (options) => {
      count += 1;
      const name = `start-${process.pid}-${count}`;
      names.push(name);
      const { code, stderr } = await call(['run', '--detach', '--name', name, ...argumentsOf(options)]);
      if (code !== 0) throw new Error(stderr);
      return containerOf(name, call);
    },
    close: async () => {
      if (names.length > 0) await call(['rm', '--force', '--volumes', ...names]);
      for (const made of directories) rmSync(made, { recursive: true, force: true });
    },
  };
}

function containerOf(name: string, call: ContainerHost['docker']): Container {
  const logs = async (): Promise<string> => {
    const { stdout, stderr } = await call(['logs', name]);
    return `${stdout.toString()}${stderr}`;
  };
  const isRunning = async (): Promise<boolean> =>
    (await call(['inspect', '--format={{.State.Running}}', name])).stdout.toString().trim() === 'true';
  return {
    name,
    docker: (verb = '', ...args) => call([verb, ...args.slice(0, -1), ...args.slice(-1), name]),
    logs,
    exec: async (script) => {
      const { code, stdout, stderr } = await call(['exec', name, '/bin/sh', '-c', script]);
      if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr}`);
      return stdout.toString();
    },
    until: async (pattern) => {
      const deadline = performance.now() + PATIENCE_MS;
      for (;;) {
        const running = await isRunning();
        const text = await logs();
        if (pattern.test(text)) return text;
        if (!running || performance.now() > deadline)
          throw new Error(`${pattern} is not in the log:\n${text}`);
        // Wait: between two questions to the engine.
        await sleep(100);
      }
    },
    end: async () => Number((await call(['wait', name])).stdout.toString().trim()),
  };
}
