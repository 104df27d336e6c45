import { closeSync, constants, mkdtempSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, toAppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { moveInto } from '../oci/blob-file.ts';
import { isThere, realPathOf, removePlain, writeNewPlain } from '../sys/plain.ts';
import type { Syscalls } from '../sys/types.ts';

/** A cache of base images that this process alone writes to. */
export interface WarmDirectory {
  /** A new directory on the same file system; removed at the end. */
  scratch(): string;
  close(): void;
}

const SCRATCH = '.tmp-';
const LOCK = '.warm.lock';
/** Nothing is cut off, and no link is followed. */
const OPEN_LOCK = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens a cache for writing, and clears up after those that were killed. Readers are never kept out. Where the file system
 * knows no locks, the directory is used without.
 * @throws AppError OUTPUT when it cannot be written; ABORTED by the signal while another process has it
 */
export async function openWarmDirectory(
  dir: string,
  {
    layout,
    sys,
    signal,
    onWait,
  }: {
    readonly layout: boolean;
    readonly sys: Pick<Syscalls, 'tryLock'>;
    readonly signal: AbortSignal;
    readonly onWait: () => void;
  },
): Promise<WarmDirectory> {
  try {
    makeDirectories(dir);
    checkContents(dir);
    const real = realPathOf(dir);
    const fd = openSync(join(real, LOCK), OPEN_LOCK, 0o644);
    if (!locked(fd, sys)) onWait();
    while (!locked(fd, sys)) await sleep(200, undefined, { signal });
    for (const name of readdirSync(real)) if (name.startsWith(SCRATCH)) removePlain(join(real, name));
    const scratch = (): string => mkdtempSync(join(real, SCRATCH));
    if (layout && !isThere(join(real, 'oci-layout'))) {
      const made = scratch();
      writeNewPlain(join(made, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
      moveInto(join(made, 'oci-layout'), join(real, 'oci-layout'));
      removePlain(made);
    }
    return {
      scratch,
      close: () => {
        for (const name of readdirSync(real)) if (name.startsWith(SCRATCH)) removePlain(join(real, name));
        closeSync(fd);
      },
    };
  } catch (error) {
    signal.throwIfAborted();
    throw toAppError(error, 'OUTPUT', `cannot write the base image cache ${dir}`, { where: { path: dir } });
  }
}

function locked(fd: number, sys: Pick<Syscalls, 'tryLock'>): boolean {
  try {
    return sys.tryLock(fd);
  } catch {
    return true;
  }
}

/** A directory that holds something else was hardly meant. */
function checkContents(dir: string): void {
  const known = /^(?:sha256:[0-9a-f]{64}(?:\.json)?|oci-layout|index\.json|blobs|lost\+found|\..*)$/;
  const other = readdirSync(dir).find((name) => !known.test(name));
  if (other === undefined) return;
  throw new AppError('OUTPUT', `${dir} holds other files ("${other}") and is no cache of base images`, {
    hint: 'name a new or empty directory',
    where: { path: dir },
  });
}
