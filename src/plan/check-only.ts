import { expandMount } from '../dockerfile/parse/mount.ts';
import type { AddInstruction, CopyInstruction, Instruction, RunInstruction } from '../dockerfile/types.ts';
import { resolveFrom } from './mount-source.ts';
import type { StageDeps } from './stage-deps.ts';
import { expand, type StageState, whereOf } from './stage-state.ts';

type FileInstruction = RunInstruction | CopyInstruction | AddInstruction;

/** Whether an instruction makes files out of others, so that a check leaves out what it does. */
export function makesFiles(instruction: Instruction): instruction is FileInstruction {
  return instruction.kind === 'run' || instruction.kind === 'copy' || instruction.kind === 'add';
}

/**
 * Expands what an instruction says, and finds the stages and images that it names, without a look at files.
 * @throws AppError as planning it does
 */
export async function checkFiles(
  deps: StageDeps,
  state: StageState,
  instruction: FileInstruction,
): Promise<void> {
  const { dockerfile, environment } = state;
  const { range } = instruction;
  const names: string[] = [];
  if (instruction.kind === 'run') {
    for (const mount of instruction.mounts) {
      const where = whereOf(dockerfile, mount.range);
      const expanded = expandMount(mount, environment.lookup, dockerfile.escape, where);
      state.mounts.push(expanded);
      if (expanded.from !== undefined) names.push(expanded.from);
    }
  } else {
    const { sources, destination, chown = '', chmod = '' } = instruction;
    for (const word of [...sources, destination, chown, chmod]) expand(state, word, range);
    if (instruction.kind === 'copy' && instruction.from !== undefined) names.push(instruction.from);
  }
  for (const name of names) {
    const source = await resolveFrom(deps, state, name, range);
    if (source.type === 'stage') await deps.need(source.stage);
  }
}
