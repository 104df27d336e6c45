import type { CopyItem, SourceTree } from '../../context/types.ts';
import type { Reference, Store } from '../../oci/types.ts';
import type { RunOperation, TreeSource } from '../../plan/types.ts';
import type { RootfsState } from '../../rootfs/types.ts';
import { type OpenBeneath } from '../../sys/beneath.ts';
import type { RunMount } from '../../sys/types.ts';
import type { SecretSource, SshSource } from '../types.ts';
import type { FileLocks } from '../work-dir/file-locks.ts';
export interface MountProvider {
    /** Makes the mounts of a RUN for as long as `work` runs; nothing of them outlives it but the content of caches. */
    use<T>(operation: RunOperation, work: (made: {
        readonly mounts: readonly RunMount[];
        readonly env: Readonly<Record<string, string>>;
    }) => Promise<T>): Promise<T>;
}
export interface MountDeps {
    /** For files that live as long as one RUN. */
    readonly workDir: string;
    /** Whether a RUN's user reads secrets where they lie, and not through a mount. */
    readonly reachable: boolean;
    /** Where cache mounts live between builds. */
    readonly cacheDir: string;
    readonly locks: FileLocks;
    readonly openBeneath: OpenBeneath;
    readonly signal: AbortSignal;
    readonly openRepository: (reference: Reference) => Store;
    readonly secrets: readonly SecretSource[];
    readonly ssh: readonly SshSource[];
    readonly stateOf: (source: TreeSource) => Promise<RootfsState>;
    /** Copies a directory of a stage or image into an existing directory, owners kept. */
    readonly copyStage: (source: TreeSource, path: string, target: string) => Promise<void>;
    readonly writeTree: (tree: SourceTree, items: readonly CopyItem[], target: string) => Promise<void>;
}
/** Mounts of RUN instructions; caches outlive the build, in `deps.cacheDir`. */
export declare function createMounts(deps: MountDeps): MountProvider;
