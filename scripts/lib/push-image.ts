import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export interface PushedManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface ImageToPush {
  /** gzip-compressed tars, lowest first. */
  readonly layers: readonly string[];
  /** The `config` member of the image's configuration: Env, User and so on. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly architecture: string;
  readonly family: 'docker' | 'oci';
}

const mediaTypes = {
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
} as const;

/** When every generated image says that it was made: part of what makes them reproducible. */
const imageTime = '2024-01-01T00:00:00Z';

/**
 * Puts an image into a registry that answers on plain HTTP without credentials, by nothing but its HTTP interface.
 * @param tag left out, the manifest is stored under its digest only
 */
export async function pushImage(
  host: string,
  repository: string,
  tag: string | undefined,
  image: ImageToPush,
): Promise<PushedManifest> {
  const types = mediaTypes[image.family];
  const diffIds: string[] = [];
  const layers = [];
  for (const file of image.layers) {
    const bytes = readFileSync(file);
    diffIds.push(digestOf(gunzipSync(bytes)));
    layers.push({ mediaType: types.layer, ...(await putBlob(host, repository, bytes)) });
  }
  const config = {
    architecture: image.architecture,
    os: 'linux',
    created: imageTime,
    config: image.config,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map((_, index) => ({ created: imageTime, created_by: `layer ${index}` })),
  };
  const configBlob = await putBlob(host, repository, Buffer.from(JSON.stringify(config)));
  return putManifest(host, repository, tag, types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...configBlob },
    layers,
  });
}

/** Puts an index over images that `pushImage` put into the same repository. */
export async function pushIndex(
  host: string,
  repository: string,
  tag: string,
  family: 'docker' | 'oci',
  images: readonly {
    readonly manifest: PushedManifest;
    readonly platform: Readonly<Record<string, string>>;
  }[],
): Promise<PushedManifest> {
  const mediaType = mediaTypes[family].index;
  return putManifest(host, repository, tag, mediaType, {
    schemaVersion: 2,
    mediaType,
    manifests: images.map(({ manifest, platform }) => ({ ...manifest, platform })),
  });
}

async function putManifest(
  host: string,
  repository: string,
  tag: string | undefined,
  mediaType: string,
  manifest: unknown,
): Promise<PushedManifest> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  const url = `http://${host}/v2/${repository}/manifests/${tag ?? digest}`;
  const answer = await fetch(url, { method: 'PUT', body: bytes, headers: { 'content-type': mediaType } });
  if (!answer.ok) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`);
  return { mediaType, digest, size: bytes.length };
}

async function putBlob(
  host: string,
  repository: string,
  bytes: Buffer,
): Promise<{ digest: string; size: number }> {
  const digest = digestOf(bytes);
  const blob = { digest, size: bytes.length };
  const base = `http://${host}/v2/${repository}/blobs`;
  if ((await fetch(`${base}/${digest}`, { method: 'HEAD' })).ok) return blob;
  const start = await fetch(`${base}/uploads/`, { method: 'POST' });
  const location = start.headers.get('location');
  if (location === null) throw new Error(`POST ${base}/uploads/: ${start.status}`);
  const url = new URL(location, base);
  url.searchParams.set('digest', digest);
  const answer = await fetch(url, { method: 'PUT', body: Uint8Array.from(bytes) });
  if (!answer.ok) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`);
  return blob;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
