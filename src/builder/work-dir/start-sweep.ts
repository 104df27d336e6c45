import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { entryPoint, ownEnvironment } from '../../core/own-files.ts';

/**
 * Starts a process that deletes what builds that have ended left in a directory, and outlives this one. It has nothing of
 * ours: no variable, no descriptor, no terminal. Everything else goes before it.
 * @param parent an absolute path
 * @returns the number of the process; undefined when none could be started
 */
export function startSweep(parent: string): number | undefined {
  const child = spawn(process.execPath, ['--no-warnings', fileURLToPath(entryPoint('sweep')), parent], {
    env: ownEnvironment(),
    cwd: '/',
    detached: true,
    stdio: 'ignore',
  });
  child.on('error', () => {});
  child.unref();
  if (child.pid === undefined) return undefined;
  try {
    const { PRIORITY_LOW } = constants.priority;
    setPriority(child.pid, PRIORITY_LOW);
    // A session of its own may be a group that shares the processors evenly with ours, however nice its processes are.
    writeFileSync(`/proc/${child.pid}/autogroup`, `${PRIORITY_LOW}`);
  } catch {
    // It has ended already, or this kernel has no such groups.
  }
  return child.pid;
}
