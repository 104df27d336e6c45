import type { ChildEnd } from './helper-calls.ts';
import type { RunSpec } from './types.ts';
/** What the helper of a RUN needs to know of it. */
export interface HelperSpec extends Omit<RunSpec, 'onOutput' | 'signal'> {
}
/**
 * In which surroundings a helper starts commands: each in namespaces and a root of its own, or in those that the helper
 * itself is in.
 */
export type HelperPlace = 'isolated' | 'here';
/** What a helper is told over its channel. */
export type HelperOrder = {
    readonly type: 'start';
    readonly id: number;
    readonly spec: HelperSpec;
} | {
    readonly type: 'kill';
    readonly id: number;
};
/** What it reports about a RUN; output, then one of the others. */
export type HelperReport = {
    readonly type: 'output';
    readonly id: number;
    readonly stream: 'stdout' | 'stderr';
    readonly bytes: Uint8Array;
} | {
    readonly type: 'ended';
    readonly id: number;
    readonly end: ChildEnd;
} | {
    readonly type: 'not-started';
    readonly id: number;
    readonly failure: InitFailure;
} | {
    readonly type: 'not-isolated';
    readonly id: number;
    readonly message: string;
};
/** Why a command could not be started. */
export interface InitFailure {
    readonly message: string;
    readonly hint?: string;
    /** As a shell would exit: 126 or 127; undefined for a failure of ours. */
    readonly exitCode?: number;
}
