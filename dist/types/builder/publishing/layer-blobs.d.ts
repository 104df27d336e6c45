import type { LayerRef } from '../../cache/types.ts';
import type { Digest } from '../../core/digest.ts';
import type { LayerBlob } from '../../layer/types.ts';
import type { BlobSource, Image, Store } from '../../oci/types.ts';
import type { StagedLayer } from '../../rootfs/types.ts';
/** A layer that a store holds. */
export declare function storeBlob(store: Store, layer: LayerRef): LayerBlob;
/** A layer that this build made and that is still in a file. */
export declare function stagedBlob(layer: StagedLayer): LayerBlob;
/** A staged layer as something to put into a store; our own writer computed its digest. */
export declare function stagedSource(layer: StagedLayer): BlobSource;
/** Any layer as something to put into a store. */
export declare function layerBlobSource(layer: LayerBlob): BlobSource;
/** The layers of an image, lowest first. */
export declare function imageBlobs(image: Image): LayerBlob[];
/** The facts of a staged layer that go into records. */
export declare function layerRef(layer: StagedLayer): LayerRef;
/** Looks layers up wherever they are: among the staged ones first, then in the cache. */
export declare function createLayerLocator(store: Store | undefined): {
    stage(layer: StagedLayer): void;
    staged(digest: Digest): StagedLayer | undefined;
    blob(layer: LayerRef): LayerBlob;
    /** Whether a layer was to be read from the store. */
    fromStore(digest: Digest): boolean;
    /** A staged layer as something to put into a store. */
    stagedSource(digest: Digest): BlobSource | undefined;
};
