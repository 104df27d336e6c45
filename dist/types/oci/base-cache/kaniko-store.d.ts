import { type Digest } from '../../core/digest.ts';
import type { Store } from '../types.ts';
/** The archive and the raw manifest of an image, as the image warmer of kaniko names them. */
export declare function kanikoFiles(dir: string, digest: Digest): {
    readonly archive: string;
    readonly manifest: string;
};
/**
 * A directory of the image warmer of kaniko, to read from: `sha256:…` is an archive with a config and the layers as they
 * were pulled, `sha256:….json` the manifest of that digest. The blobs of an image are found once its manifest was
 * resolved. An image without its manifest, and an archive that is not whole, count as absent.
 */
export declare function createKanikoStore(dir: string): Store;
