import { AppError, type SourceRange, type Where } from '../core/error.ts';
import type { Dockerfile } from '../dockerfile/types.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { type StageEnvironment } from './environment.ts';
import type { HistoryLine, Step } from './types.ts';
/** The PATH that Docker gives to a container whose image sets none. */
export declare const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** A stage while its instructions are applied in order. */
export interface StageState {
    readonly dockerfile: Dockerfile;
    readonly environment: StageEnvironment;
    readonly steps: Step[];
    readonly history: HistoryLine[];
    config: ContainerConfig;
    author: string | undefined;
    /** Whether this stage itself set CMD: an ENTRYPOINT then leaves it alone. */
    cmdSet: boolean;
}
/** @param config the base's execution config; its ONBUILD triggers are not inherited */
export declare function createStageState(dockerfile: Dockerfile, config: ContainerConfig, author?: string): StageState;
/** The shell that a shell form runs under. */
export declare function shellOf(state: StageState): readonly string[];
/** The directory that relative paths are relative to, and that a RUN starts in. */
export declare function workdirOf(state: StageState): string;
/** Where an instruction stands, with the source line that errors show. */
export declare function whereOf(dockerfile: Dockerfile, range: SourceRange): Where;
/** Expands one word against the stage's variables. */
export declare function expand(state: StageState, word: string, range: SourceRange): string;
/** Expands words that may each become several or none. */
export declare function expandAll(state: StageState, words: readonly string[], range: SourceRange): string[];
/** An error in an instruction of this stage. */
export declare function stageError(state: StageState, range: SourceRange, message: string, hint?: string): AppError;
