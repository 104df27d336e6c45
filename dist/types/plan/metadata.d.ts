import type { Command, Instruction } from '../dockerfile/types.ts';
import { type StageState } from './stage-state.ts';
/** Instructions that change only the image's config, never files and never a key of their own. */
export type MetadataInstruction = Exclude<Instruction, {
    kind: 'run' | 'copy' | 'add' | 'workdir' | 'arg';
}>;
/** Applies one of them to the stage's config, as Docker stores it. */
export declare function applyMetadata(state: StageState, instruction: MetadataInstruction): void;
/** A command as argv: the shell form under the stage's shell. */
export declare function commandLine(state: StageState, command: Command): readonly string[];
