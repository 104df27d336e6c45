import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES } from '../../../src/core/error.ts';
import { type Encoding, encode } from '../encode.ts';
import { type HostileImage, type HostileLayer, imageOf, json, layerOf, publish, TYPES } from '../images.ts';
import { ADD_REFUSED } from '../kinds/add-refused.ts';
import { writeKaniko, writeLayout } from '../layouts.ts';
import type { Plot } from '../plot.ts';
import { recordsWith } from '../records.ts';
import { sha256 } from '../registry.ts';
import { NOT_DOCKER } from '../sparse-size.ts';
import { dir, file, type TarPart, tarOf } from '../tar-bytes.ts';
import type { Kind, Must, StreamInput, TarInput } from '../types.ts';
import {
  type Attempt,
  build,
  buildOn,
  cachedBuild,
  type Fixtures,
  IMAGE_REFUSALS,
  type WayIn,
} from './way.ts';

function baseWay(
  name: string,
  layer: (input: TarInput | StreamInput) => HostileLayer,
  reader = name,
): WayIn<TarInput> & WayIn<StreamInput> {
  return {
    name,
    reader,
    carry: (input: TarInput | StreamInput, plot: Plot) => {
      publish(plot.repository, imageOf([layer(input)]));
      const after = 'after' in input ? input.after : undefined;
      // What the steps after it refuse is the user's Dockerfile or context, or somebody whom the image does not know.
      const refusals = after ? [...IMAGE_REFUSALS, 3, 4, 5] : IMAGE_REFUSALS;
      return {
        ...buildOn(plot, `${plot.repository.reference}:1`, after),
        refusals,
        docker: name === 'base' || name === 'base-gzip',
      };
    },
  };
}

/** The layer that a stream is: its media type says gzip, as one does who does not look. */
export function streamLayer({ bytes, tar }: StreamInput): HostileLayer {
  const zstd = bytes.length >= 4 && bytes[0] === 0x28;
  return { bytes, mediaType: zstd ? TYPES.zstd : TYPES.gzip, diffId: sha256(tar) };
}

function baseDirWay(
  name: string,
  write: (dir: string, image: HostileImage) => void,
  layer: (input: TarInput | StreamInput) => HostileLayer,
) {
  return {
    name,
    reader: 'base',
    carry: (input: TarInput | StreamInput, plot: Plot): Attempt => {
      const image = imageOf([layer(input)]);
      const bases = join(plot.dir, 'bases');
      mkdirSync(bases);
      write(bases, image);
      const { args, ...rest } = buildOn(plot, `${plot.repository.reference}@${sha256(image.manifest)}`);
      return { ...rest, args: [...args.slice(0, -1), `--base-image-cache-dir=${bases}`, plot.context] };
    },
  };
}

/** A step that is looked up in a cache, whose record names this layer. */
function recordWay(
  name: string,
  put: 'repo' | 'dir',
  layer: (input: TarInput | StreamInput) => HostileLayer,
) {
  return {
    name,
    reader: 'cache',
    cached: true,
    // The layer is whole, and what it holds is too long for the directory that it is written to.
    differs: ({ name }: { readonly name: string }) =>
      TOO_LONG_BELOW.has(name) ? EXIT_CODES.OUTPUT.exit : undefined,
    carry: (input: TarInput | StreamInput, plot: Plot, { baseline }: Fixtures): Attempt =>
      cachedBuild(plot, put, recordsWith(baseline, layer(input))),
  };
}

/** The archive of a feature with more in it, without its end. */
export const featureArchive = (...more: readonly TarPart[]): Buffer =>
  tarOf(
    [
      dir('./'),
      file('./devcontainer-feature.json', JSON.stringify({ id: 'image', version: '1.0.0', name: 'x' })),
      file('./install.sh', '#!/bin/sh\ntouch /probe-a\n', { mode: 0o755 }),
      ...more,
    ],
    Buffer.alloc(0),
  );
const FEATURE = featureArchive();

/** A dev container with one feature, whose archive these bytes are. */
export function featureBuild(plot: Plot, fixtures: Fixtures, archive: Buffer): Attempt {
  const config = json({});
  plot.repository.blob(config);
  const digest = plot.repository.blob(archive);
  const manifest = json({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: { mediaType: 'application/vnd.devcontainers', digest: sha256(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.devcontainers.layer.v1+tar', digest, size: archive.length }],
    annotations: { 'dev.containers.metadata': JSON.stringify({ id: 'image', version: '1.0.0', name: 'x' }) },
  });
  plot.repository.document('1', manifest, TYPES.manifest);
  const features = { [`${plot.repository.reference}:1`]: {} };
  plot.write({
    'context/.devcontainer/devcontainer.json': JSON.stringify({ image: fixtures.busybox, features }),
  });
  return {
    args: build(plot, '--devcontainer'),
    // What an archive puts in the place of its script fails as a script.
    refusals: [3, 9, 17],
    result: 'probe-a',
  };
}

function addWay(encoding: Encoding): WayIn<TarInput> {
  return {
    name: `add-${encoding}`,
    reader: 'add',
    must: mustAdd,
    differs: ({ name }) => (TOO_LONG_BELOW.has(name) ? EXIT_CODES.BUILD_FAILED.exit : undefined),
    carry: ({ bytes }, plot) => ({ ...addBuild(plot, encode(bytes, encoding)), docker: encoding === 'gzip' }),
  };
}

function addBuild(plot: Plot, archive: Buffer): Attempt {
  plot.write({
    'context/Dockerfile': 'FROM scratch\nADD x.tar /out/\nCOPY a /probe-a\n',
    'context/a': 'hi\n',
    'context/x.tar': archive,
  });
  return { args: build(plot), refusals: [5, 9], result: 'probe-a', docker: true };
}

/** Below the place of ADD, or the directory of an output, they are longer than the kernel takes. */
const TOO_LONG_BELOW: ReadonlySet<string> = new Set(['name-4095']);

/** What Docker takes as a base it need not take as an archive, and the other way round. */
function mustAdd({ name, must, notDocker }: Kind<unknown>): Must {
  // What a random change makes of an archive nobody has said.
  if (name.startsWith('mutation-')) return 'either';
  if (notDocker === NOT_DOCKER) return must;
  return notDocker !== undefined || ADD_REFUSED.has(name) ? 'either' : 'build';
}

/** Where a tar can come from. */
export const tarWays: readonly WayIn<TarInput>[] = [
  ...(['gzip', 'zstd', 'plain'] as const).map((encoding) =>
    baseWay(`base-${encoding}`, ({ bytes }) => layerOf(bytes, encoding), 'base'),
  ),
  baseWay('base-ours', ({ bytes }) => layerOf(bytes, 'ours')),
  baseDirWay('base-dir-kaniko', writeKaniko, ({ bytes }) => layerOf(bytes, 'gzip')),
  baseDirWay('base-dir-oci', writeLayout, ({ bytes }) => layerOf(bytes, 'zstd')),
  recordWay('cache-repo', 'repo', ({ bytes }) => layerOf(bytes, 'ours')),
  recordWay('cache-repo-gzip', 'repo', ({ bytes }) => layerOf(bytes, 'gzip')),
  recordWay('cache-dir', 'dir', ({ bytes }) => layerOf(bytes, 'ours')),
  {
    name: 'feature',
    reader: 'feature',
    carry: ({ bytes }, plot, fixtures) => ({
      ...featureBuild(plot, fixtures, encode(Buffer.concat([FEATURE, bytes]), 'gzip')),
      must: 'either',
    }),
  },
  {
    name: 'feature-plain',
    reader: 'feature',
    carry: ({ bytes }, plot, fixtures) => ({
      ...featureBuild(plot, fixtures, Buffer.concat([FEATURE, bytes])),
      must: 'either',
    }),
  },
  ...(['plain', 'gzip', 'bzip2', 'xz', 'zstd'] as const).map(addWay),
];

/** Where a compressed stream can come from. */
export const streamWays: readonly WayIn<StreamInput>[] = [
  baseWay('base', (input) => streamLayer(input as StreamInput)),
  baseDirWay('base-dir-kaniko', writeKaniko, (input) => streamLayer(input as StreamInput)),
  baseDirWay('base-dir-oci', writeLayout, (input) => streamLayer(input as StreamInput)),
  recordWay('cache-repo', 'repo', (input) => streamLayer(input as StreamInput)),
  recordWay('cache-dir', 'dir', (input) => streamLayer(input as StreamInput)),
  {
    name: 'feature',
    carry: ({ bytes }, plot, fixtures) => ({ ...featureBuild(plot, fixtures, bytes), must: 'either' }),
  },
  { name: 'add', must: mustAdd, carry: ({ bytes }, plot) => addBuild(plot, bytes) },
];
