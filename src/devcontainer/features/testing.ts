import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { readAll } from '../../oci/readable.ts';
import type { Descriptor, Store } from '../../oci/types.ts';
import { EMPTY_FILE } from '../../tar/empty-file.ts';
import { encodeHeader, padding } from '../../tar/header.ts';
import type { LayerEntry } from '../../tar/types.ts';
import type { FeaturesDeps } from './prepare.ts';

/** A file of a test's archive: its content, or an entry. */
export type ArchiveFile = string | (Partial<Omit<LayerEntry, 'path'>> & { readonly content?: string });

/** A tar of these files, in order; names are as given, however hostile. */
export function archiveOf(files: Readonly<Record<string, ArchiveFile>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, file]) => {
    const { content = '', ...given } = typeof file === 'string' ? { content: file } : file;
    const bytes = Buffer.from(content);
    const entry = { ...PLAIN, path, size: bytes.length, ...given };
    return [encodeHeader(entry), bytes, Buffer.alloc(padding(bytes.length))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const PLAIN: LayerEntry = { ...EMPTY_FILE, uid: 1000, gid: 1000 };

export interface PublishedFeature {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, ArchiveFile>>;
  readonly tags?: readonly string[];
  /** Without the annotation that holds the metadata, as of tools of the first days. */
  readonly plain?: boolean;
  readonly gzip?: boolean;
}

/** Puts a feature into a repository, as `devcontainer features publish` does. */
async function publishFeature(
  store: Store,
  { metadata, files = {}, tags = ['latest'], plain = false, gzip = false }: PublishedFeature,
): Promise<Descriptor> {
  const json = JSON.stringify(metadata);
  const tar = archiveOf({ './devcontainer-feature.json': json, './install.sh': '#!/bin/sh\n', ...files });
  const layer = gzip ? gzipSync(tar) : tar;
  const config = Buffer.from('{}');
  await store.put(bytesSource(layer));
  await store.put(bytesSource(config));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: 'application/vnd.devcontainers', digest: digestOf(config), size: config.length },
      layers: [
        {
          mediaType: 'application/vnd.devcontainers.layer.v1+tar',
          digest: digestOf(layer),
          size: layer.length,
          annotations: { 'org.opencontainers.image.title': `devcontainer-feature-${metadata.id}.tgz` },
        },
      ],
      ...(plain
        ? {}
        : {
            annotations: {
              'dev.containers.metadata': json,
              'com.github.package.type': 'devcontainer_feature',
            },
          }),
    }),
  );
  let descriptor: Descriptor | undefined;
  for (const tag of tags) descriptor = await store.tag(manifest, MEDIA_TYPES.ociManifest, tag);
  return descriptor!;
}

/** Registries in memory. */
export interface TestRegistries {
  readonly registries: FeaturesDeps['registries'];
  /** `get` and `resolve` requests in order. */
  readonly asked: string[];
  readonly urls: Map<string, Buffer>;
  publish(resource: string, feature: PublishedFeature): Promise<Descriptor>;
}

/** Makes registries in memory; every host exists in them. */
export function createTestRegistries(): TestRegistries {
  const stores = new Map<string, Store>();
  const asked: string[] = [];
  const urls = new Map<string, Buffer>();
  const open = (name: string): Store => {
    const store = stores.get(name) ?? memoryStore(name, asked);
    stores.set(name, store);
    return store;
  };
  return {
    asked,
    urls,
    publish: (resource, feature) => publishFeature(open(resource), feature),
    registries: {
      open: ({ registry, repository }) => open(`${registry}/${repository}`),
      download: async (url) => {
        asked.push(`download ${url}`);
        const bytes = urls.get(url);
        if (!bytes) throw new AppError('REFERENCE', `there is nothing at ${url}`);
        return bytes;
      },
    },
  };
}

function memoryStore(name: string, asked: string[]): Store {
  const blobs = new Map<Digest, Buffer>();
  const manifests = new Map<string, { descriptor: Descriptor; bytes: Buffer }>();
  return {
    name,
    has: async (digest) => blobs.get(digest)?.length,
    get: async (digest) => {
      asked.push(`get ${name}`);
      const blob = blobs.get(digest);
      if (!blob) throw new AppError('REFERENCE', `${name} has no blob ${digest}`);
      return Readable.from([blob]);
    },
    put: async (source) => {
      blobs.set(source.digest, await readAll(source.open(), source.size, () => new Error('too long')));
      return 'stored';
    },
    resolve: async (tagOrDigest) => {
      asked.push(`resolve ${name} ${tagOrDigest}`);
      return manifests.get(tagOrDigest);
    },
    tag: async (bytes, mediaType, tag) => {
      const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
      for (const key of [descriptor.digest, ...(tag === undefined ? [] : [tag])])
        manifests.set(key, { descriptor, bytes });
      return descriptor;
    },
  };
}
