import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { createFileLocks } from '../builder/work-dir/file-locks.ts';
import { once } from '../core/concurrency.ts';
import { AppError, toAppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { readJsonIfThere } from '../core/read-json.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { PROCESS_FILE, readKeptProcess, writeKept } from './kept-files.ts';
import type { ProcessMark } from './process-mark.ts';
import type { ContainerRecord, FoundContainer } from './types.ts';

/** Where a container is kept. */
export interface ContainerPlace {
  readonly directory: string;
  readonly rootfs: string;
  /** What its first process says, and what hooks leave behind says. */
  readonly log: string;
}

/** Which of the hooks are done, and of which start of the container. */
export type DoneHooks = Readonly<Record<string, string>>;

/** The containers of a user. */
export interface ContainerStore {
  place(name: string): ContainerPlace;
  /** A directory for what other programs are given, and that is deleted then. */
  readonly handover: string;
  /** Where the content of a volume lies. */
  volume(name: string): string;
  /** All that are there, by name. */
  list(): readonly FoundContainer[];
  /** @returns undefined where nothing is kept, or another program wrote it */
  find(name: string): FoundContainer | undefined;
  /** Makes its directory where it is missing. @throws AppError OUTPUT */
  write(record: ContainerRecord): void;
  writeProcess(name: string, mark: ProcessMark): void;
  process(name: string): ProcessMark | undefined;
  done(name: string): DoneHooks;
  writeDone(name: string, done: DoneHooks): void;
  /**
   * Waits until nobody else works on a container.
   * @param waiting told once when somebody does
   */
  lock(name: string, signal: AbortSignal, waiting: () => void): Promise<() => void>;
  /** Forgets the lock of a container that is gone; by whoever holds it. */
  removeLock(name: string): void;
}

const VERSION = 1;
const recordShape = v.looseObject({
  version: v.literal(VERSION),
  id: v.string(),
  name: v.string(),
  folder: v.string(),
  configFile: v.string(),
  created: v.string(),
  ids: v.optional(v.object({ uid: v.number(), gid: v.number() })),
  image: v.optional(v.looseObject({})),
  scope: v.looseObject({}),
});
const doneShape = v.record(v.string(), v.string());

/** @param directory of all containers; only its user can look into it */
export function createContainerStore(directory: string): ContainerStore {
  const locks = createFileLocks(once(createSyscalls));
  const containers = join(directory, 'containers');
  const place = (name: string): ContainerPlace => {
    const own = join(containers, name);
    return { directory: own, rootfs: join(own, 'rootfs'), log: join(own, 'log') };
  };
  const write = (name: string, file: string, content: object): void => {
    writeKept(place(name).directory, file, content);
  };
  const readProcess = (name: string): ProcessMark | undefined =>
    readKeptProcess(place(name).directory, PROCESS_FILE);
  const find = (name: string): FoundContainer | undefined => {
    const found = v.safeParse(recordShape, readJsonIfThere(join(place(name).directory, 'container.json')));
    if (!found.success || found.output.name !== name) return undefined;
    return { record: found.output as unknown as ContainerRecord, pid: readProcess(name)?.pid };
  };
  return {
    place,
    handover: join(directory, 'handover'),
    volume: (name) => join(directory, 'volumes', name),
    list: () =>
      names(containers).flatMap((name) => {
        const found = find(name);
        return found ? [found] : [];
      }),
    find,
    write: (record) => write(record.name, 'container.json', { version: VERSION, ...record }),
    writeProcess: (name, mark) => write(name, PROCESS_FILE, mark),
    process: readProcess,
    done: (name) => {
      const done = v.safeParse(doneShape, readJsonIfThere(join(place(name).directory, 'hooks.json')));
      return done.success ? done.output : {};
    },
    writeDone: (name, done) => write(name, 'hooks.json', done),
    lock: async (name, signal, waiting) => {
      const path = lockPath(containers, name);
      try {
        makeDirectories(containers, 0o700);
        const release = locks.tryAcquire(path);
        if (release) return release;
      } catch (error) {
        throw toAppError(error, 'OUTPUT', `cannot lock ${path}`, { hint: 'name another --containers-dir' });
      }
      waiting();
      return locks.acquire(path, signal);
    },
    removeLock: (name) => rmSync(lockPath(containers, name), { force: true }),
  };
}

/** The name of a folder's container, where nobody gives it another one. It can be the name of a machine. */
export function nameOf(folder: string, configFile: string): string {
  const mark = createHash('sha256').update(`${folder}\0${configFile}`).digest('hex').slice(0, 8);
  const plain = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return plain === '' ? mark : `${plain}-${mark}`;
}

/** @throws AppError USAGE for what cannot be the name of a container and of a machine */
export function checkName(name: string): string {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(name)) return name;
  throw new AppError('USAGE', `${JSON.stringify(name)} cannot be the name of a container`, {
    hint: 'letters, digits and dashes, 63 at most',
  });
}

const lockPath = (containers: string, name: string): string => join(containers, `.${name}.lock`);

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw toAppError(error, 'OUTPUT', `cannot read ${directory}`);
  }
}
