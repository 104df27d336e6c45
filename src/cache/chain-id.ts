import { type Digest, digestOf } from '../core/digest.ts';

/** Stands for the chain of no layers at all. */
export const SCRATCH = 'scratch';

/**
 * The chain ID of `diffIds` on top of `base` (OCI image spec, "Layer ChainID").
 * @param base a chain ID, or SCRATCH
 */
export function chainId(base: string, diffIds: readonly Digest[]): string {
  let chain = base;
  for (const diffId of diffIds) chain = chain === SCRATCH ? diffId : digestOf(`${chain} ${diffId}`);
  return chain;
}
