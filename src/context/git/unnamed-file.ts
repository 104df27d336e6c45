import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDirectories } from '../../core/make-directories.ts';

/** A file without a name: only who inherits its descriptor can read it, and nobody finds it afterwards. */
export interface UnnamedFile {
  readonly fd: number;
  /** All that is in it now. */
  read(): string;
  close(): void;
}

/**
 * Writes text where no directory lists it, in memory where the machine has a tmpfs for that. It needs no clean-up: when we
 * are killed, the kernel frees it with the last descriptor.
 */
export function createUnnamedFile(text: string): UnnamedFile {
  const fd = openUnlinked();
  writeSync(fd, text);
  return {
    fd,
    read: () => {
      const bytes = Buffer.alloc(fstatSync(fd).size);
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
    },
    close: () => closeSync(fd),
  };
}

function openUnlinked(): number {
  const name = `envbuilder-git-${process.pid}-${process.hrtime.bigint().toString(36)}`;
  const open = (dir: string): number => {
    const path = join(dir, name);
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return fd;
  };
  try {
    return open('/dev/shm');
  } catch {
    makeDirectories(tmpdir());
    return open(tmpdir());
  }
}
