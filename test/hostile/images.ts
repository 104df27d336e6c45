import { encode } from './encode.ts';
import { type HostileRepository, sha256 } from './registry.ts';
import { ownLayer } from './toc.ts';

/** A blob with what a manifest and a config say of it. */
export interface HostileLayer {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly diffId: string;
  readonly toc?: { readonly offset: number; readonly length: number; readonly digest: string };
}

const OCI = 'application/vnd.oci.image';
export const TYPES = {
  manifest: `${OCI}.manifest.v1+json`,
  index: `${OCI}.index.v1+json`,
  config: `${OCI}.config.v1+json`,
  layer: `${OCI}.layer.v1.tar`,
  gzip: `${OCI}.layer.v1.tar+gzip`,
  zstd: `${OCI}.layer.v1.tar+zstd`,
} as const;
export const ARCHITECTURE: string = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** A tar as a layer. */
export function layerOf(tar: Buffer, encoding: 'plain' | 'gzip' | 'zstd' | 'ours'): HostileLayer {
  if (encoding === 'ours') return { mediaType: TYPES.zstd, ...ownLayer(tar) };
  const mediaType = encoding === 'plain' ? TYPES.layer : TYPES[encoding];
  return { bytes: encode(tar, encoding), mediaType, diffId: sha256(tar) };
}

/** A config and a manifest that name layers, as objects to be changed. */
export interface ImageDocuments {
  readonly config: Record<string, unknown>;
  readonly manifest: {
    schemaVersion: number;
    mediaType: string;
    config: Record<string, unknown>;
    layers: Record<string, unknown>[];
    [key: string]: unknown;
  };
}

/** What a config says that nobody has tampered with. */
export function configOf(layers: readonly HostileLayer[]): Record<string, unknown> {
  return {
    architecture: ARCHITECTURE,
    os: 'linux',
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, at) => ({ created: '2024-01-01T00:00:00Z', created_by: `layer ${at}` })),
  };
}

/** What a manifest says that nobody has tampered with. */
export function manifestOf(config: Buffer, layers: readonly HostileLayer[]): ImageDocuments['manifest'] {
  return {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: { mediaType: TYPES.config, digest: sha256(config), size: config.length },
    layers: layers.map(({ bytes, mediaType }) => ({ mediaType, digest: sha256(bytes), size: bytes.length })),
  };
}

/** An image as files: the blobs by digest, and the manifest. */
export interface HostileImage {
  readonly manifest: Buffer;
  readonly type: string;
  readonly blobs: readonly Buffer[];
  readonly config: Buffer;
  readonly layers: readonly HostileLayer[];
}

/** An image of these layers. @param config what it says besides them */
export function imageOf(
  layers: readonly HostileLayer[],
  config: Buffer = json(configOf(layers)),
): HostileImage {
  const manifest = json(manifestOf(config, layers));
  return {
    manifest,
    type: TYPES.manifest,
    blobs: [config, ...layers.map(({ bytes }) => bytes)],
    config,
    layers,
  };
}

/** Puts an image under a tag, and gives its digest. */
export function publish(repository: HostileRepository, image: HostileImage, tag = '1'): string {
  for (const blob of image.blobs) repository.blob(blob);
  return repository.document(tag, image.manifest, image.type);
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
