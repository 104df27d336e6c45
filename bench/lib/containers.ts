import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import { capture, run } from '../../scripts/lib/shell.ts';
import { type Measured, type MeasureOptions, measure, measureOurs, type OurRun } from './measure.ts';

/** Containers of one engine. None is removed before it is asked for, since deleting slows down whoever writes next. */
export interface Containers {
  /** `docker run` with these further arguments, from its start until it ends or prints what is waited for. */
  run(args: readonly string[], options?: Pick<MeasureOptions, 'until'>): Promise<Measured>;
  /** The same, of our program with `--progress=json`. */
  runOurs(args: readonly string[], options?: Pick<MeasureOptions, 'until'>): Promise<OurRun>;
  /** Loads an archive of `docker save`. */
  load(archive: string): Promise<void>;
  /** Makes an image of nothing but a program, called `program` in the context of these lines. */
  make(name: string, program: string, lines: readonly string[]): Promise<string>;
  /** The first version number that a container prints. */
  versionOf(image: string, args: readonly string[]): Promise<string>;
  /** Removes all containers so far. */
  remove(): Promise<void>;
}

/** @param dir made with its parents, for the contexts of images */
export function createContainers({ command, env }: DockerEngine, dir: string): Containers {
  const names: string[] = [];
  let count = 0;
  const argumentsOf = (args: readonly string[]): string[] => {
    count += 1;
    const name = `bench-${process.pid}-${count}`;
    names.push(name);
    return ['run', '--network=host', `--name=${name}`, ...args];
  };
  return {
    run: (args, options) => measure(command, argumentsOf(args), { ...options, env }),
    runOurs: (args, options) => measureOurs(command, argumentsOf(args), { ...options, env }),
    load: async (archive) => {
      await run(command, ['load', '--quiet', '--input', archive], { env });
    },
    make: async (name, program, lines) => {
      const context = join(dir, name);
      mkdirSync(context, { recursive: true });
      copyFileSync(program, join(context, 'program'));
      chmodSync(join(context, 'program'), 0o755);
      writeFileSync(join(context, 'Dockerfile'), `FROM scratch\n${lines.join('\n')}\n`);
      await run(command, ['buildx', 'build', '--quiet', `--tag=${name}`, context], { env });
      return name;
    },
    versionOf: async (image, args) => {
      const { stdout, stderr } = await capture(command, ['run', '--rm', '--network=none', image, ...args], {
        env,
        timeoutMs: 30_000,
      });
      return /\d+\.\d+\.\d+[^\s,;]*/.exec(`${stdout}${stderr}`)?.[0] ?? '';
    },
    remove: async () => {
      const all = names.splice(0);
      if (all.length > 0) await capture(command, ['rm', '--force', '--volumes', ...all], { env });
    },
  };
}
