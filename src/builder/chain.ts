import { chainId } from '../cache/chain-id.ts';
import type { LayerRef } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';

/** A stage's files while its layers may still be compressing: what is settled, and what is to come. */
export interface PendingChain {
  /** One entry a step since the image below; undefined means that the step changed nothing. */
  readonly layers: readonly Promise<LayerRef | undefined>[];
}

/** A chain whose layers are all known. */
export function settledChain(chain: readonly LayerRef[], made: string): PendingChain {
  let next = 0;
  return {
    layers: [...made].map((bit) => {
      if (bit === '0') return Promise.resolve(undefined);
      next += 1;
      return Promise.resolve(chain[next - 1]);
    }),
  };
}

/** The chain with the layer of one more step, undefined for a step that changed nothing. */
export function appendLayer(chain: PendingChain, layer: Promise<LayerRef | undefined>): PendingChain {
  // A failed layer is reported by whoever awaits the chain; nobody may be awaiting it yet.
  layer.catch(() => {});
  return { layers: [...chain.layers, layer] };
}

/** The chain once every layer is finished. */
export async function settle(
  pending: PendingChain,
): Promise<{ readonly chain: readonly LayerRef[]; readonly made: string }> {
  const layers = await Promise.all(pending.layers);
  return {
    chain: layers.filter((layer) => layer !== undefined),
    made: layers.map((layer) => (layer ? '1' : '0')).join(''),
  };
}

/** The chain ID on top of `base` once every layer is finished. */
export async function settledChainId(base: string, pending: PendingChain): Promise<string> {
  const { chain } = await settle(pending);
  return chainId(
    base,
    chain.map((layer): Digest => layer.diffId),
  );
}
