import { AppError } from '../../core/error.ts';
import type { LayerBlob } from '../../layer/types.ts';
/** An error that came up with a layer, as one that names the layer and where it came from. */
export declare function inLayer(blob: Pick<LayerBlob, 'digest' | 'from'>, thrown: unknown): AppError;
