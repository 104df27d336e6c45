/** Media types that we write: OCI image spec, "OCI Image Media Types". */
export const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

/** Docker's image manifest v2 schema 2, which is read and never written. */
export const DOCKER_MEDIA_TYPES = {
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
  layerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  layerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  foreignLayerGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
} as const;

const INDEXES: readonly string[] = [MEDIA_TYPES.index, DOCKER_MEDIA_TYPES.index];
const MANIFESTS: readonly string[] = [MEDIA_TYPES.manifest, DOCKER_MEDIA_TYPES.manifest];
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
  if (compression === 'zstd') return MEDIA_TYPES.layerZstd;
  return compression === 'gzip' ? MEDIA_TYPES.layerGzip : MEDIA_TYPES.layer;
}
