import type { HostileImage } from '../images.ts';
import { editRecords, type RecordBaseline, type RecordManifest, useConfig } from '../records.ts';
import { sha256 } from '../registry.ts';
import type { Kind } from '../types.ts';

/** Makes the records of a cache out of those of an honest build. */
export type RecordInput = (baseline: RecordBaseline) => ReadonlyMap<string, HostileImage>;

const PREFIX = 'dev.envbuilder.';

function record(
  name: string,
  edit: (manifest: RecordManifest, canary: string) => unknown,
  must: Kind<RecordInput>['must'] = 'refuse',
): Kind<RecordInput> {
  return {
    name,
    must,
    make:
      ({ canary }) =>
      (baseline) =>
        editRecords(baseline, (manifest) => edit(manifest, canary)),
  };
}

const bytes = (
  name: string,
  of: (honest: Buffer) => Buffer,
  must: Kind<RecordInput>['must'] = 'refuse',
): Kind<RecordInput> => record(name, (manifest) => of(Buffer.from(JSON.stringify(manifest))), must);
const note = (name: string, key: string, value: unknown): Kind<RecordInput> =>
  record(`${key}-${name}`, ({ annotations }) => void (annotations[PREFIX + key] = value));
const chained = (name: string, edit: (layer: unknown[]) => unknown): Kind<RecordInput> =>
  record(`chain-${name}`, ({ annotations }) => {
    const chain = JSON.parse(String(annotations[`${PREFIX}chain`])) as unknown[][];
    annotations[`${PREFIX}chain`] = JSON.stringify(edit(chain[0]!) ?? chain);
  });
const configured = (
  name: string,
  edit: (config: Record<string, unknown>) => unknown,
  must?: 'either',
): Kind<RecordInput> =>
  record(
    `config-${name}`,
    (manifest) => {
      const config = JSON.parse(Buffer.from(String(manifest.config.data), 'base64').toString());
      const given = edit(config);
      useConfig(manifest, Buffer.isBuffer(given) ? given : Buffer.from(JSON.stringify(config)));
    },
    must,
  );
const nowhere = sha256(Buffer.from('nowhere'));

/** Records of a cache that somebody has written to. */
export const records: readonly Kind<RecordInput>[] = [
  record('honest', () => {}, 'build'),
  bytes('empty', () => Buffer.alloc(0)),
  bytes('not-json', () => Buffer.from('nonsense')),
  bytes('null', () => Buffer.from('null')),
  bytes('number', () => Buffer.from('5')),
  bytes('list', () => Buffer.from('[]')),
  bytes('cut', (honest) => honest.subarray(0, -20)),
  bytes('nul', (honest) => Buffer.concat([honest, Buffer.alloc(1)])),
  bytes('not-utf8', (honest) =>
    Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff]), Buffer.from('",'), honest.subarray(1)]),
  ),
  bytes('deep', () => Buffer.from('['.repeat(300_000))),
  bytes(
    '5-mb',
    (honest) => Buffer.concat([honest.subarray(0, -1), Buffer.from(`,"x":"${'x'.repeat(5_000_000)}"}`)]),
    'either',
  ),
  bytes('50-mb', (honest) =>
    Buffer.concat([honest.subarray(0, -1), Buffer.from(`,"x":"${'x'.repeat(50_000_000)}"}`)]),
  ),
  record(
    'proto',
    (manifest) => Buffer.from(`{"__proto__":{"polluted":1},${JSON.stringify(manifest).slice(1)}`),
    'either',
  ),
  record('schema-version', (manifest) => void (manifest.schemaVersion = 3)),
  record(
    'media-type-index',
    (manifest) => void (manifest.mediaType = 'application/vnd.oci.image.index.v1+json'),
  ),
  record('media-type-number', (manifest) => void (manifest.mediaType = 5), 'either'),
  record('both', (manifest) => void (manifest.manifests = [])),
  record('no-annotations', (manifest) => void delete (manifest as Record<string, unknown>).annotations),
  record('annotations-list', (manifest) => void (manifest.annotations = [] as never)),
  record('annotations-number', (manifest) => void (manifest.annotations.x = 5)),
  record('layers-none', (manifest) => void (manifest.layers = [])),
  record('layers-null', (manifest) => void (manifest.layers = null as never)),
  record(
    'layers-1000',
    (manifest) => void (manifest.layers = Array.from({ length: 1000 }, () => manifest.layers[0]!)),
  ),
  record('layer-other', (manifest) => void (manifest.layers[0]!.digest = nowhere)),
  record('layer-digest-up', (manifest) => void (manifest.layers[0]!.digest = `sha256:${'../'.repeat(20)}x`)),
  record('layer-size-negative', (manifest) => void (manifest.layers[0]!.size = -1), 'either'),
  record('layer-size-text', (manifest) => void (manifest.layers[0]!.size = '10')),
  record('layer-type', (manifest) => void (manifest.layers[0]!.mediaType = 5)),
  record('config-digest', (manifest) => void (manifest.config.digest = nowhere)),
  record('config-data-bad', (manifest) => void (manifest.config.data = '!!!')),
  record('config-data-number', (manifest) => void (manifest.config.data = 5)),
  record('config-missing', (manifest) => void delete manifest.config.data),
  record('config-size-huge', (manifest) => {
    delete manifest.config.data;
    manifest.config.size = 2 ** 52;
    manifest.annotations[`${PREFIX}record`] = 'config';
  }),
  record('config-detached-missing', (manifest) => {
    delete manifest.config.data;
    manifest.config.digest = nowhere;
    manifest.annotations[`${PREFIX}record`] = 'config';
  }),
  configured('null', () => Buffer.from('null')),
  configured('text', () => Buffer.from('text')),
  configured('list', () => Buffer.from('[]')),
  configured('os', (config) => void (config.os = 5)),
  // The key says what platform a step is for; the config is for whoever pulls the record as an image.
  configured('os-other', (config) => void (config.os = 'windows'), 'either'),
  configured('variant', (config) => void (config.variant = { x: 1 })),
  configured('deep', () => Buffer.from(`{"a":${'['.repeat(100_000)}`)),
  // A step finds it by its content too, whatever build it was made in.
  record('key-other', ({ annotations }) => void (annotations[`${PREFIX}key`] = nowhere), 'build'),
  record('keys-other', ({ annotations }) => {
    for (const name of ['key', 'content-key']) annotations[`${PREFIX}${name}`] = nowhere;
  }),
  note('number', 'key', 5),
  note('text', 'key', 'no digest'),
  note('text', 'content-key', 'no digest'),
  note('unknown', 'schema', '99'),
  note('other', 'base', nowhere),
  note('object', 'base', {}),
  note('letters', 'made', 'yes'),
  note('long', 'made', '1'.repeat(1_000_000)),
  note('empty', 'made', ''),
  note('text', 'sources', 'text'),
  note('list', 'sources', '[1]'),
  // They are compared where layers of several builds meet.
  record(
    'sources-others',
    ({ annotations }) => void (annotations[`${PREFIX}sources`] = JSON.stringify({ [nowhere]: nowhere })),
    'either',
  ),
  note('text', 'fields', '{'),
  note('numbers', 'fields', '{"a":1}'),
  note('never', 'created', 'never'),
  note('far', 'created', '+275760-09-13T00:00:01Z'),
  note('future', 'created', '9999-01-01T00:00:00Z'),
  note('past', 'created', '0001-01-01T00:00:00Z'),
  note('true', 'empty', 'true'),
  note('text', 'chain', 'text'),
  note('null', 'chain', 'null'),
  note('empty', 'chain', '[]'),
  note('deep', 'chain', '['.repeat(100_000)),
  chained('digest', (layer) => void (layer[1] = nowhere)),
  chained('digest-sha512', (layer) => void (layer[1] = `sha512:${'0'.repeat(128)}`)),
  chained('size-negative', (layer) => void (layer[2] = -1)),
  chained('size-fraction', (layer) => void (layer[2] = 1.5)),
  chained('size-huge', (layer) => void (layer[2] = 2 ** 52)),
  chained('size-less', (layer) => void (layer[2] = 10)),
  chained('size-more', (layer) => void (layer[2] = Number(layer[2]) + 10)),
  chained('diff-id', (layer) => void (layer[3] = nowhere)),
  record('diff-id-of-stream', (manifest) => {
    const [layer] = JSON.parse(String(manifest.annotations[`${PREFIX}chain`])) as unknown[][];
    manifest.annotations[`${PREFIX}chain`] = JSON.stringify([[...layer!.slice(0, 3), nowhere]]);
    const config = JSON.parse(Buffer.from(String(manifest.config.data), 'base64').toString());
    config.rootfs.diff_ids = [nowhere];
    useConfig(manifest, Buffer.from(JSON.stringify(config)));
  }),
  record(
    'table-of-version-1',
    ({ annotations }) => {
      const [layer] = JSON.parse(String(annotations[`${PREFIX}chain`])) as unknown[][];
      annotations[`${PREFIX}chain`] = JSON.stringify([layer!.slice(0, 7)]);
    },
    'build',
  ),
  chained('short', (layer) => [[layer[0], layer[1]]]),
  chained('long', (layer) => [[...layer, 1, 2, 3]]),
  chained('10000', (layer) => Array.from({ length: 10_000 }, () => layer)),
  chained('media-type', (layer) => void (layer[0] = 'text/html')),
  chained('toc-other', (layer) => void (layer[6] = nowhere)),
];
