import { type Emit } from '../core/events.ts';
export interface CheckRequest {
    readonly root: string;
    /** Remove what is wrong, so that what is left can be pulled, and what is gone is stored again by whoever has it. */
    readonly repair?: boolean;
    readonly emit?: Emit;
}
export interface CheckResult {
    readonly blobs: number;
    readonly manifests: number;
    /** One line each; all are gone when they were to be repaired. */
    readonly problems: readonly string[];
}
/**
 * Reads every blob and follows every name. Damaged blobs, manifests of which something is missing, and names of what is
 * not there are problems. The directory may be in use.
 * @throws AppError CACHE_DIR when the directory cannot be used or, to repair it, locked
 */
export declare function checkRegistry(request: CheckRequest): Promise<CheckResult>;
