import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Store } from '../oci/types.ts';
import { readSigningKey, type SigningKey } from './signature.ts';
import type { CacheRecord, LayerRef } from './types.ts';

/** A layer for tests; the same name gives the same layer. */
export function fakeLayer(name: string): LayerRef {
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
    digest: digestOf(`blob ${name}`),
    size: name.length + 1000,
    diffId: digestOf(`tar ${name}`),
    toc: { offset: 10, length: 20, digest: digestOf(`toc ${name}`) },
  };
}

/** A record for tests over the layers of these names; '' stands for a step that changed nothing. */
export function fakeRecord(
  key: Digest,
  names: readonly string[],
  change: Partial<CacheRecord> = {},
): CacheRecord {
  const chain = names.filter((name) => name !== '').map(fakeLayer);
  const last = names.at(-1) === '' ? undefined : chain.at(-1);
  return {
    key,
    contentKey: digestOf(`content ${key}`),
    base: 'scratch',
    chain,
    made: names.map((name) => (name === '' ? '0' : '1')).join(''),
    ...(last ? { layer: last } : {}),
    sources: {},
    created: '2026-01-02T03:04:05Z',
    fields: { kind: 'abc' },
    platform: { os: 'linux', architecture: 'amd64' },
    ...change,
  };
}

/** A new key for tests. */
export function fakeKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return readSigningKey(String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 'a new key');
}

/** A repository that keeps manifests alone: nothing but records and notes is looked up. */
export function fakeStore(name: string): Store & { broken: boolean; tags(): readonly string[] } {
  const kept = new Map<string, Buffer>();
  const store = {
    name,
    broken: false,
    tags: () => [...kept.keys()],
    has: async () => undefined,
    get: async () => assert.fail('nothing is read'),
    put: async () => 'stored' as const,
    resolve: async (tag: string) => {
      if (store.broken) throw new AppError('REGISTRY', `${name} is down`);
      const bytes = kept.get(tag);
      const mediaType = MEDIA_TYPES.ociManifest;
      return bytes && { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
    },
    tag: async (bytes: Buffer, mediaType: string, tag = '') => {
      kept.set(tag, bytes);
      return { mediaType, digest: digestOf(bytes), size: bytes.length };
    },
  };
  return store;
}
