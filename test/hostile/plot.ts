import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import { removeDir } from '../support/remove-dir.ts';
import { type Canary, createCanary } from './canary.ts';
import type { HostileRegistry, HostileRepository } from './registry.ts';
import type { Place } from './types.ts';

/** Where the runs of one after the other take place, with a canary beside them. */
export interface Field {
  readonly dir: string;
  readonly canary: Canary;
  /** A new place for one run. */
  plot(): Plot;
  close(): void;
}

/** A place for one run: everything that it may write lies below `dir`. */
export interface Plot extends Place {
  readonly dir: string;
  readonly context: string;
  /** Where the root file system is written to. */
  readonly rootfs: string;
  /** A repository that nobody else uses. */
  readonly repository: HostileRepository;
  readonly registry: HostileRegistry;
  /** The command line. */
  readonly program: readonly string[];
  /** Variables of the run. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes files by path below `dir`. */
  write(files: Readonly<Record<string, string | Buffer>>): void;
  remove(): void;
}

let count = 0;

/**
 * Makes a field in a temporary directory.
 * @param compiled where Node keeps what sources compile to: without it, that is most of what a run does
 * @param program the command line
 */
export function createField(registry: HostileRegistry, compiled: string, program: readonly string[]): Field {
  const dir = temporaryDir('hostile');
  mkdirSync(join(dir, 'a/b/runs'), { recursive: true });
  const canary = createCanary(dir, ['a', 'canary']);
  return {
    dir,
    canary,
    plot: () => {
      count += 1;
      const own = mkdtempSync(join(dir, 'a/b/runs/r'));
      const context = join(own, 'context');
      mkdirSync(context);
      const repository = registry.repository(`r${count}/image`);
      const write = (files: Readonly<Record<string, string | Buffer>>): void => {
        for (const [name, content] of Object.entries(files)) {
          mkdirSync(dirname(join(own, name)), { recursive: true });
          writeFileSync(join(own, name), content);
        }
      };
      return {
        canary: canary.dir,
        dir: own,
        context,
        rootfs: join(own, 'rootfs'),
        repository,
        registry,
        program,
        env: {
          HOME: join(own, 'home'),
          ENVBUILDER_WORK_DIR: join(own, 'work'),
          ENVBUILDER_STATE_DIR: join(own, 'state'),
          NODE_COMPILE_CACHE: compiled,
        },
        write,
        remove: () => {
          registry.forget(repository.name);
          removeDir(own);
        },
      };
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
