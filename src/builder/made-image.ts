import type { LayerRef } from '../cache/types.ts';
import type { LayerBlob } from '../layer/types.ts';
import type { Plan } from '../plan/types.ts';
import type { Execution } from './execution.ts';
import type { AssembledImage } from './image.ts';

/** An image whose steps are done. */
export interface PushableImage {
  readonly plan: Plan;
  readonly image: AssembledImage;
  readonly execution: Execution;
}

/** One with the chain of its own layers. */
export interface OutputImage extends PushableImage {
  readonly chain: readonly LayerRef[];
}

/** The layers of an image without a runtime, lowest first, wherever they are. */
export function layersOf({ execution, plan, chain }: OutputImage): readonly LayerBlob[] {
  return [...execution.baseBlobs(plan.target), ...chain.map(execution.blob)];
}
