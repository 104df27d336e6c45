import { closeSync, constants, createReadStream, openSync, write } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import koffi from 'koffi';

/** ioctl_tty(2). */
const [TIOCSCTTY, TIOCSWINSZ, TIOCSPTLCK, TIOCGPTPEER] = [0x540e, 0x5414, 0x40045431, 0x5441];
/** Bytes of struct winsize: rows, columns, and two that nobody uses. */
const WINSIZE = 8;

/** A terminal of which we are the user's end. */
export interface Terminal {
  /** The end of its programs, as a descriptor: to be closed as soon as they have it. */
  readonly inside: number;
  /**
   * Hands on keys, output and sizes between a terminal of ours and this one.
   * @returns to be called when the program has ended: the rest of its output is written, and ours is as it was before
   */
  attach(stdin: ReadStream, stdout: WriteStream): () => Promise<void>;
}

/**
 * Opens a new terminal.
 * @param multiplexer the ptmx of the devpts that it will be in
 * @returns undefined where there can be none
 */
export function openTerminal(multiplexer: string): Terminal | undefined {
  const libc = koffi.load('libc.so.6');
  const call = libc.func('int ioctl(int, ulong, void *)');
  const get = libc.func('int ioctl(int, ulong, int)');
  let master: number;
  try {
    master = openSync(multiplexer, constants.O_RDWR | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  const unlocked = call(master, TIOCSPTLCK, Buffer.alloc(4)) === 0;
  const inside: number = unlocked ? get(master, TIOCGPTPEER, constants.O_RDWR | constants.O_NOCTTY) : -1;
  if (inside < 0) {
    closeSync(master);
    return undefined;
  }
  return {
    inside,
    attach: (stdin, stdout) => {
      const resize = (): void => {
        const size = Buffer.alloc(WINSIZE);
        size.writeUInt16LE(stdout.rows ?? 0, 0);
        size.writeUInt16LE(stdout.columns ?? 0, 2);
        call(master, TIOCSWINSZ, size);
      };
      resize();
      stdout.on('resize', resize);
      stdin.setRawMode(true);
      // A stream would close what is read as well.
      const send = (keys: Buffer): void => write(master, keys, () => {});
      stdin.on('data', send);
      const output = createReadStream('', { fd: master, autoClose: false });
      output.pipe(stdout, { end: false });
      // When the last program has closed its end, reading fails.
      const { promise: over, resolve } = Promise.withResolvers<void>();
      output.once('error', () => resolve());
      output.once('end', () => resolve());
      return async () => {
        await over;
        stdout.off('resize', resize);
        stdin.off('data', send);
        stdin.setRawMode(false);
        stdin.pause();
        closeSync(master);
      };
    },
  };
}

/** Makes the terminal on standard input that of this process, which must lead no group, and of a session of its own. */
export function takeTerminal(): void {
  const libc = koffi.load('libc.so.6');
  libc.func('int setsid()')();
  libc.func('int ioctl(int, ulong, int)')(0, TIOCSCTTY, 0);
}
