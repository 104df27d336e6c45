/**
 * Media types of both families: OCI image spec, "OCI Image Media Types", which we write, and Docker's image manifest v2
 * schema 2, which is read only.
 */
export const MEDIA_TYPES = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  emptyConfig: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
} as const;

const INDEXES: readonly string[] = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerIndex];
const MANIFESTS: readonly string[] = [MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest];
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar)(?:[+.](gzip|zstd))?$/;

/** What to send as `Accept` when a manifest or an index of either family will do. */
export const MANIFEST_ACCEPT = [...INDEXES, ...MANIFESTS].join(', ');

/** Whether a media type is that of an image index or a manifest list. */
export function isIndexType(mediaType: string): boolean {
  return INDEXES.includes(mediaType);
}

/** Whether a media type is that of an image manifest. */
export function isManifestType(mediaType: string): boolean {
  return MANIFESTS.includes(mediaType);
}

/** Whether a media type is that of a file system layer, of either family. */
export function isLayerType(mediaType: string): boolean {
  return LAYER.test(mediaType);
}

/** How a layer of this media type is compressed, or undefined when it is not the media type of a layer. */
export function layerCompression(mediaType: string): 'zstd' | 'gzip' | 'none' | undefined {
  const match = LAYER.exec(mediaType);
  if (match === null) return undefined;
  return (match[1] as 'zstd' | 'gzip' | undefined) ?? 'none';
}

/** The OCI media type of a layer with this compression. */
export function layerMediaType(compression: 'zstd' | 'gzip' | 'none'): string {
  if (compression === 'zstd') return MEDIA_TYPES.ociLayerZstd;
  return compression === 'gzip' ? MEDIA_TYPES.ociLayerGzip : MEDIA_TYPES.ociLayer;
}

/** The OCI spelling of a layer's media type, whichever family it is of; anything else stays as it is. */
export function toOciLayerType(mediaType: string): string {
  const compression = layerCompression(mediaType);
  return compression === undefined ? mediaType : layerMediaType(compression);
}
