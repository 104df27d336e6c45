/**
 * Media types of both families: OCI image spec, "OCI Image Media Types", which we write, and Docker's image manifest v2
 * schema 2, which is read only.
 */
export declare const MEDIA_TYPES: {
    readonly ociIndex: 'application/vnd.oci.image.index.v1+json';
    readonly ociManifest: 'application/vnd.oci.image.manifest.v1+json';
    readonly ociConfig: 'application/vnd.oci.image.config.v1+json';
    readonly ociLayer: 'application/vnd.oci.image.layer.v1.tar';
    readonly ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip';
    readonly ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd';
    readonly emptyConfig: 'application/vnd.oci.empty.v1+json';
    readonly dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json';
    readonly dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json';
    readonly dockerConfig: 'application/vnd.docker.container.image.v1+json';
    readonly dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar';
    readonly dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip';
    readonly dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd';
};
/** What to send as `Accept` when a manifest or an index of either family will do. */
export declare const MANIFEST_ACCEPT: string;
/** Whether a media type is that of an image index or a manifest list. */
export declare function isIndexType(mediaType: string): boolean;
/** Whether a media type is that of an image manifest. */
export declare function isManifestType(mediaType: string): boolean;
/** Whether a media type is that of a file system layer, of either family. */
export declare function isLayerType(mediaType: string): boolean;
/** How a layer of this media type is compressed, or undefined when it is not the media type of a layer. */
export declare function layerCompression(mediaType: string): 'zstd' | 'gzip' | 'none' | undefined;
/** The OCI media type of a layer with this compression. */
export declare function layerMediaType(compression: 'zstd' | 'gzip' | 'none'): string;
/** The OCI spelling of a layer's media type, whichever family it is of; anything else stays as it is. */
export declare function toOciLayerType(mediaType: string): string;
