import type { Digest } from '../core/digest.ts';
import type { Plan } from '../plan/types.ts';
/** A step of a plan: an instruction that makes a layer. */
export interface StepSummary {
    /** The instruction as it stands in the Dockerfile. */
    readonly text: string;
    readonly file: string;
    /** Counted from 1. */
    readonly line: number;
    /** The tag of its record in a cache is the hexadecimal part. */
    readonly key: Digest;
}
/** A stage that the target needs. */
export interface StageSummary {
    /** Position in the Dockerfile, from 0. */
    readonly index: number;
    readonly name: string;
    /** `os/arch[/variant]` */
    readonly platform: string;
    readonly steps: readonly StepSummary[];
}
/** What a build would do; plain data. */
export interface PlanSummary {
    readonly stages: readonly StageSummary[];
    /** The `index` of the stage that is built. */
    readonly target: number;
    readonly warnings: readonly {
        readonly rule: string;
        readonly text: string;
        readonly file: string;
        readonly line: number;
    }[];
}
/** The part of a plan that others can use. */
export declare function summarise({ stages, target, warnings }: Plan): PlanSummary;
