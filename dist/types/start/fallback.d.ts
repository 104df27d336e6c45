import { AppError } from '../core/error.ts';
/** After which failures of each part a fallback image may still work; all others end the start. */
declare const CODES: {
    readonly workspace: readonly ["WORKSPACE", "AUTH"];
    readonly definition: readonly ["DEVCONTAINER", "DOCKERFILE", "CONTEXT", "REFERENCE", "REGISTRY", "AUTH", "CORRUPT"];
    readonly build: readonly ["BUILD_FAILED", "DOCKERFILE", "DEVCONTAINER", "CONTEXT", "REFERENCE", "REGISTRY", "AUTH", "CORRUPT", "WORKSPACE"];
};
/**
 * The failure of a part, when a fallback image may still work.
 * @throws the failure itself when it may not
 */
export declare function fallbackReason(failure: unknown, part: keyof typeof CODES): AppError;
export {};
