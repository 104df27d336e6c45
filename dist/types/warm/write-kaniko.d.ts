import type { Image, Reference, Store } from '../oci/types.ts';
/**
 * Writes an image as the image warmer of kaniko does, which is what go-containerregistry's `tarball.Write` makes: the config
 * under its digest, each layer as it was pulled under its hex digest with `.tar.gz`, then manifest.json. The archive
 * appears last and whole.
 * @param from where the layers are read, verified
 * @param scratch a directory on the same file system
 */
export declare function writeKaniko(dir: string, image: Image, reference: Reference, { from, scratch, signal }: {
    readonly from: Store;
    readonly scratch: string;
    readonly signal: AbortSignal;
}): Promise<void>;
