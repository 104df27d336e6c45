import type { CopyOperation, Step, TreeSource } from '../../plan/types.ts';
import type { RootfsState } from '../../rootfs/types.ts';
import type { Syscalls } from '../../sys/types.ts';
export interface CopyStepDeps {
    /** For downloads and unpacked archives, as long as one step. */
    readonly workDir: () => string;
    readonly syscalls: () => Syscalls;
    readonly stateOf: (source: TreeSource) => Promise<RootfsState>;
    readonly signal: AbortSignal;
}
/**
 * Writes the files of a COPY or ADD into a root.
 * @throws AppError CONTEXT, BUILD_FAILED, CORRUPT, at the instruction
 */
export declare function executeCopy(deps: CopyStepDeps, step: Step, operation: CopyOperation, root: string): Promise<void>;
/** Reads the attributes that a copy keeps. */
export declare function xattrReader(syscalls: Syscalls): (hostPath: string) => ReadonlyMap<string, Buffer> | undefined;
