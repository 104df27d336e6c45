import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { AppError } from '../core/error.ts';

/**
 * Asks for a line on the terminal of standard input, which shows nothing of what is typed.
 * @throws AppError ABORTED at Ctrl-C, at the end of the input, and when `signal` is aborted
 */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  // What readline echoes and redraws.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const left = new AbortController();
  lines.once('SIGINT', () => left.abort());
  lines.once('close', () => left.abort());
  process.stderr.write(question);
  try {
    return await lines.question('', { signal: AbortSignal.any([left.signal, signal]) });
  } catch (error) {
    throw new AppError('ABORTED', 'no password was given', { cause: error });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
