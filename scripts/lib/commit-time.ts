import { execFileSync } from 'node:child_process';

/** Seconds since the epoch: what SOURCE_DATE_EPOCH says, as usual for reproducible builds, else when HEAD was committed. */
export function commitTime(root: string): number {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH) return Number(SOURCE_DATE_EPOCH);
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }));
  } catch {
    return 0;
  }
}
