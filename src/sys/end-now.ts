import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { entryPoint } from '../core/own-files.ts';
import { descendants, kill } from './descendants.ts';

/**
 * Ends this process at once with an exit code, from any of its threads, and kills what it has started but for the process
 * that deletes what a build left. Nothing is waited for: not for threads that the kernel holds, as process.exit does, and
 * not for streams. Works as process 1 too, which no signal of its own can end.
 */
export function endNow(code: number): never {
  const sweeper = fileURLToPath(entryPoint('sweep'));
  for (const pid of descendants()) if (!argumentsOf(pid).includes(sweeper)) kill(pid);
  koffi.load('libc.so.6').func('void _exit(int)')(code);
  throw new Error('_exit returned');
}

function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
