import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LayerRef } from '../../cache/types.ts';
import { digestOf } from '../../core/digest.ts';
import { layerMediaType, MEDIA_TYPES } from '../../oci/media-types.ts';
import type { Descriptor } from '../../oci/types.ts';
import { baseDescriptor, layerDescriptor, tocOf } from './layer-table.ts';

const digest = fc.string().map((text) => digestOf(Buffer.from(text)));
const layers: fc.Arbitrary<LayerRef> = fc
  .record({ digest, toc: digest, diffId: digest, size: fc.nat(2 ** 31 - 1), at: fc.nat(), length: fc.nat() })
  .map(({ toc, size, at, length, ...more }) => {
    const offset = at % (size + 1);
    const table = { offset, length: length % (size - offset + 1), digest: toc };
    return { ...more, mediaType: layerMediaType('zstd'), size, toc: table };
  });

test('the table of a large layer of ours is found in its image, and in all images upon that', () => {
  fc.assert(
    fc.property(layers, (layer) => {
      const descriptor = layerDescriptor(layer);
      const { mediaType, digest: of, size } = layer;
      assert.deepEqual(
        { ...descriptor, annotations: undefined },
        { mediaType, digest: of, size, annotations: undefined },
      );
      assert.deepEqual(tocOf(descriptor), size < 1 << 20 ? undefined : layer.toc);
      assert.deepEqual(baseDescriptor(descriptor), descriptor);
    }),
  );
});

const layer: LayerRef = {
  mediaType: layerMediaType('zstd'),
  digest: digestOf(Buffer.from('layer')),
  size: 3_000_000,
  diffId: digestOf(Buffer.from('tar')),
  toc: { offset: 2_000_000, length: 1_000_000, digest: digestOf(Buffer.from('table')) },
};
const good = layerDescriptor(layer);
const [[name, value]] = Object.entries(good.annotations!) as [[string, string]];
const annotated = (text: string): Descriptor => ({ ...good, annotations: { [name]: text } });

const others: Readonly<Record<string, Descriptor>> = {
  'no annotation': { ...good, annotations: {} },
  'the annotation of another layer': { ...good, digest: digestOf(Buffer.from('anew')) },
  'another compression': { ...good, mediaType: layerMediaType('gzip') },
  'a layer of Docker': { ...good, mediaType: MEDIA_TYPES.dockerLayer },
  'a layer that ends before its table does': { ...good, size: 2_999_999 },
  'a table of another version': annotated(value.replace(/^[0-9]+/, (version) => `${Number(version) + 1}`)),
  'a number that is none': annotated(value.replace(':2000000:', ':2e6:')),
  'a negative number': annotated(value.replace(':2000000:', ':-1:')),
  'a number beyond all': annotated(value.replace(':2000000:', `:${'9'.repeat(16)}:`)),
  'no digest of the table': annotated(value.replace(/:sha256:.*/, '')),
  'something behind it': annotated(`${value} `),
  'a line before it': annotated(`x\n${value}`),
  'the layer by its whole digest': annotated(value.replace(/:/, ':sha256:')),
};
for (const [what, descriptor] of Object.entries(others))
  test(`no table is named by ${what}, and images upon it do not name it either`, () => {
    assert.equal(tocOf(descriptor), undefined);
    assert.equal(baseDescriptor(descriptor).annotations, undefined);
  });

test('annotations of others do not pass into images upon theirs', () => {
  const more = { ...good, annotations: { ...good.annotations, 'com.example': 'x' }, data: 'eA==' };
  assert.deepEqual(baseDescriptor(more), good);
});

test('of a gzip layer and of one without a table nothing is said', () => {
  const { toc, ...without } = layer;
  assert.equal(layerDescriptor(without).annotations, undefined);
  assert.equal(layerDescriptor({ ...layer, mediaType: layerMediaType('gzip') }).annotations, undefined);
});
