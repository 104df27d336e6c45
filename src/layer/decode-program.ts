import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AppError } from '../core/error.ts';
import { ownProgram } from '../core/own-files.ts';
import type { Input } from './decode-input.ts';

/** Programs for what Node cannot decode; Docker takes layers and archives of both. */
export type DecodeProgram = 'bzip2' | 'xz';

/**
 * What a program makes of the input. It is ended when the iteration is given up.
 * @param what names the input in errors
 * @throws AppError CONTEXT when the program is not installed; Error when it cannot decode the input
 */
export async function* decodeByProgram(
  program: DecodeProgram,
  input: Input,
  what: string,
): AsyncGenerator<Buffer> {
  const child = spawn(ownProgram(program), ['-dc'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH ?? '' },
  });
  let failure: NodeJS.ErrnoException | undefined;
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
    child.on('error', (error) => {
      failure = error;
      resolve(null);
    });
  });
  child.stdin.on('error', () => {});
  const feed = async (): Promise<void> => {
    for (let chunk = await input.next(); chunk; chunk = await input.next()) {
      // It may have ended before its input does.
      if (child.stdin.destroyed) return;
      if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain').catch(() => {}), ended]);
    }
    child.stdin.end();
  };
  const feeding = feed().catch(() => {
    // The input keeps its error, and whoever reads it asks for that first.
    child.kill();
  });
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    const code = await ended;
    await feeding;
    if (failure?.code === 'ENOENT')
      throw new AppError('CONTEXT', `${what} is compressed by ${program}, which is not installed`, {
        cause: failure,
        hint: `install ${program}`,
      });
    if (code !== 0) throw failure ?? new Error(`${program} exited with ${code}`);
  } finally {
    child.kill();
    child.stdin.destroy();
    child.stdout.destroy();
  }
}
