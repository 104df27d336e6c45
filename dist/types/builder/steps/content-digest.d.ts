import type { Digest } from '../../core/digest.ts';
import type { Step, TreeSource } from '../../plan/types.ts';
import type { RootfsState } from '../../rootfs/types.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { StageResult } from '../stage-runner.ts';
export interface ContentDigestDeps {
    readonly syscalls: () => Syscalls;
    readonly stateOf: (source: TreeSource) => Promise<RootfsState>;
    readonly resultOf: (stage: number) => Promise<StageResult>;
}
/**
 * A function that gives the digest of a step's operation by the content that it reads, not by the keys of the stages
 * that made it: COPY --from counts by its files, a mounted stage by its chain ID. Each step is worked out once.
 */
export declare function createContentDigests(deps: ContentDigestDeps): (step: Step) => Promise<Digest>;
