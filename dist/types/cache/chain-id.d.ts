import { type Digest } from '../core/digest.ts';
/** Stands for the chain of no layers at all. */
export declare const SCRATCH = "scratch";
/**
 * The chain ID of `diffIds` on top of `base` (OCI image spec, "Layer ChainID").
 * @param base a chain ID, or SCRATCH
 */
export declare function chainId(base: string, diffIds: readonly Digest[]): string;
