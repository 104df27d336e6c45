import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file without a name: children of ours can read it by its path as long as we live, and nobody finds it afterwards. */
export interface UnnamedFile {
  readonly path: string;
  read(): string;
  close(): void;
}

/**
 * Writes text where no directory lists it, in memory where the machine has a tmpfs for that. Its path goes through our
 * entry in /proc, so it needs no clean-up: when we are killed, the kernel frees it.
 */
export function createUnnamedFile(text: string): UnnamedFile {
  const fd = openUnlinked();
  writeSync(fd, text);
  const path = `/proc/${process.pid}/fd/${fd}`;
  return { path, read: () => readFileSync(path, 'utf8'), close: () => closeSync(fd) };
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
    return open(tmpdir());
  }
}
