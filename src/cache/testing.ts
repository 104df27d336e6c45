import { generateKeyPairSync } from 'node:crypto';
import { type Digest, digestOf } from '../core/digest.ts';
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
