import { execFileSync } from 'node:child_process';
import type { RootfsState, RootfsStep } from './types.ts';

/** Makes one step on a state, and waits for its layer. */
export async function step(state: RootfsState, change: (root: string, step: RootfsStep) => unknown) {
  const open = await state.begin();
  await change(open.root, open);
  const { state: next, layer } = await open.commit({ compression: 'zstd' });
  return { next, layer: await layer };
}

/** Runs a script in the root of a step. */
export function sh(root: string, script: string): void {
  execFileSync('sh', ['-euc', `cd ${root}\n${script}`]);
}
