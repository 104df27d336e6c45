import type { Platform } from '../oci/types.ts';
/** Whether an ARG is one of the predefined proxy arguments (Dockerfile reference, "Predefined ARGs"). */
export declare function isProxyArg(name: string): boolean;
/**
 * The automatic platform ARGs in the global scope (Dockerfile reference, "Automatic platform ARGs in the global scope").
 * @param targetStage the target as the user named it, or `default`, as BuildKit has it
 */
export declare function platformArgs(target: Platform, build: Platform, targetStage: string): Map<string, string>;
/** The variables of a stage as instructions go by: ENV is for ever, ARG for the rest of the stage; the later one wins. */
export interface StageEnvironment {
    /** ENV in order of first appearance, for the image's config. */
    readonly env: ReadonlyMap<string, string>;
    /** ARGs in scope with a value. */
    readonly args: ReadonlyMap<string, string>;
    lookup(name: string): string | undefined;
    setEnv(name: string, value: string): void;
    setArg(name: string, value: string): void;
    /** What a RUN sees, proxy ARGs left out. */
    runEnv(): Map<string, string>;
}
/** @param initial `KEY=VALUE` entries of the base's config; a later duplicate wins */
export declare function createStageEnvironment(initial: readonly string[]): StageEnvironment;
