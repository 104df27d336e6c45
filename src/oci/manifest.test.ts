import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { canonicalJson } from './canonical-json.ts';
import { parseImageConfig } from './image-config.ts';
import { parseManifestDocument } from './manifest.ts';
import { isLayerType, layerCompression, MEDIA_TYPES, toOciLayerType } from './media-types.ts';

const descriptor = { mediaType: 'x', digest: digestOf('x'), size: 1 };
const manifest = { schemaVersion: 2, config: descriptor, layers: [descriptor] };
const parse = (value: unknown, type?: string) =>
  parseManifestDocument(Buffer.from(JSON.stringify(value)), 'it', type);
const corrupt = (error: unknown) => error instanceof AppError && error.code === 'CORRUPT';

test('a document without a media type is known by its content', () => {
  const parsed = parse(manifest);
  assert.equal(parsed.kind === 'manifest' && parsed.manifest.mediaType, MEDIA_TYPES.ociManifest);
  assert.equal(parse({ schemaVersion: 2, manifests: null }).kind, 'index');
});

test("Docker's families are read", () => {
  const parsed = parse({ ...manifest, mediaType: MEDIA_TYPES.dockerManifest }, MEDIA_TYPES.dockerManifest);
  assert.equal(parsed.kind === 'manifest' && parsed.manifest.mediaType, MEDIA_TYPES.dockerManifest);
});

test('unknown and null fields are dropped', () => {
  const parsed = parse({ ...manifest, annotations: null, extra: 1 });
  assert.deepEqual(parsed, {
    kind: 'manifest',
    manifest: { ...manifest, mediaType: MEDIA_TYPES.ociManifest },
  });
});

for (const [what, value, type] of [
  ['text', 'not json'],
  ['a list', []],
  ['schema 1', { schemaVersion: 1, manifests: [] }],
  ['a manifest and an index at once', { ...manifest, manifests: [] }],
  ['a manifest given as index', manifest, MEDIA_TYPES.ociIndex],
  [
    'a media type that contradicts',
    { ...manifest, mediaType: MEDIA_TYPES.dockerManifest },
    MEDIA_TYPES.ociManifest,
  ],
  ['a bad digest', { ...manifest, config: { ...descriptor, digest: 'sha256:../../etc' } }],
  ['a negative size', { ...manifest, layers: [{ ...descriptor, size: -1 }] }],
  ['nothing', {}],
] as const) {
  test(`${what} is refused as a manifest`, () => assert.throws(() => parse(value, type), corrupt));
}

test('errors name the field', () => {
  assert.throws(() => parse({ ...manifest, layers: [{ ...descriptor, size: 1.5 }] }), /layers\.0\.size/);
});

test('a config as Go writes it is read: null for what is not there', () => {
  const value = {
    architecture: 'arm64',
    os: 'linux',
    config: { Entrypoint: null, Env: ['A=b'], ExposedPorts: { '80/tcp': {} }, Volumes: null, Hostname: 'x' },
    container_config: {},
    rootfs: { type: 'layers', diff_ids: null },
    history: null,
  };
  assert.deepEqual(parseImageConfig(Buffer.from(JSON.stringify(value)), 'it'), {
    architecture: 'arm64',
    os: 'linux',
    config: { Env: ['A=b'], ExposedPorts: { '80/tcp': {} } },
    rootfs: { type: 'layers', diff_ids: [] },
  });
  assert.throws(() => parseImageConfig(Buffer.from('{"config":{"Env":[1]}}'), 'it'), corrupt);
});

test('canonical JSON does not depend on the order of fields', () => {
  const values = fc.dictionary(
    fc.string(),
    fc.oneof(fc.string(), fc.integer(), fc.dictionary(fc.string(), fc.boolean())),
  );
  fc.assert(
    fc.property(values, (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse());
      assert.deepEqual(canonicalJson(turned), canonicalJson(value));
      assert.deepEqual(JSON.parse(canonicalJson(value).toString()), JSON.parse(JSON.stringify(value)));
    }),
  );
  assert.equal(canonicalJson({ b: [{ d: 1, c: undefined }], a: 'é' }).toString(), '{"a":"é","b":[{"d":1}]}');
});

test('layer media types of both families', () => {
  assert.equal(layerCompression(MEDIA_TYPES.dockerLayerGzip), 'gzip');
  assert.equal(layerCompression('application/vnd.oci.image.layer.nondistributable.v1.tar+zstd'), 'zstd');
  assert.equal(layerCompression('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'), 'gzip');
  assert.equal(layerCompression(MEDIA_TYPES.ociLayer), 'none');
  assert.equal(layerCompression(MEDIA_TYPES.ociConfig), undefined);
  assert.ok(isLayerType(MEDIA_TYPES.dockerLayer));
  assert.equal(toOciLayerType(MEDIA_TYPES.dockerLayerGzip), MEDIA_TYPES.ociLayerGzip);
  assert.equal(toOciLayerType('text/plain'), 'text/plain');
});
