import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanTable } from '../../src/rootfs/trees/scan.ts';
import { readTable, waitForTick } from '../../src/rootfs/trees/table.ts';
import { createSyscalls } from '../../src/sys/syscalls.ts';
import { find } from './find.ts';
import type { Recorder } from './recorder.ts';
import type { Work } from './works.ts';

export const WALK = 'walk in place after a change of one file';

/** What finds the changes after each RUN in a container's own root, on a directory that is full already. */
export async function walkSeries(work: Work, recorder: Recorder, directory: string): Promise<void> {
  const syscalls = createSyscalls();
  const changed = join(directory, 'tree/d0/f0');
  const sentinel = `${directory}.sentinel`;
  let before = readTable(syscalls, directory);
  await recorder.record(work, {
    what: WALK,
    rounds: 5,
    withMemory: false,
    ours: async () => {
      waitForTick(sentinel);
      appendFileSync(changed, 'changed\n');
      const startedAt = Date.now();
      const start = performance.now();
      const cpu = process.cpuUsage();
      const after = readTable(syscalls, directory, before);
      const { entries } = await scanTable(before, after, {
        syscalls,
        root: directory,
        xattrs: new Map(),
        mtime: undefined,
        previous: async () => new Map(),
      });
      const ms = performance.now() - start;
      const { user, system } = process.cpuUsage(cpu);
      before = after;
      const paths = Array.from({ length: entries.count }, (_, index) => entries.get(index).path);
      if (!paths.includes('tree/d0/f0')) throw new Error('the changed file was not found');
      return {
        startedAt,
        ms,
        cpuMs: (user + system) / 1000,
        peakMiB: 0,
        made: 0,
        stdout: '',
        stderr: '',
        phases: { snapshot: ms },
      };
    },
    peers: { 'find -printf': () => find(directory) },
  });
}
