import { createStartContainer, FOLDER, KEPT } from '../container.ts';
import { type HostileLayer, imageOf, layerOf, publish } from '../images.ts';
import type { DocumentInput } from '../kinds/documents.ts';
import type { RecordInput } from '../kinds/records.ts';
import type { TableInput } from '../kinds/tables.ts';
import type { Plot } from '../plot.ts';
import { recordsWith } from '../records.ts';
import type { StreamInput, TarInput } from '../types.ts';
import { recordLayer } from './caches.ts';
import { publishDocument } from './images.ts';
import { streamLayer } from './tars.ts';
import { type Attempt, buildOn, cachedBuild, type Fixtures, IMAGE_REFUSALS, type WayIn } from './way.ts';

/** A program that is there whatever the image is, and says that the start has come to its end. */
const INIT = {
  ENVBUILDER_INIT_COMMAND: '/.envbuilder/bin/env',
  ENVBUILDER_INIT_ARGS: `-u NODE_OPTIONS -u LD_PRELOAD /.envbuilder/bin/node -e 'console.log("started")'`,
};

/** Users that no image has, or homes and shells that are none. */
const START = 20;

/** The same as `attempt`, by a start with the context as its workspace. */
function startOf(
  attempt: Attempt,
  plot: Plot,
  { runtimeImage, busybox }: Fixtures,
  { env = {}, fallback = false }: { readonly env?: Attempt['env']; readonly fallback?: boolean } = {},
): Attempt {
  if (runtimeImage === undefined) throw new Error('a session without starts');
  const { upper, program, changes } = createStartContainer(runtimeImage, plot);
  const variables = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    KANIKO_DIR: '/.envbuilder',
    ENVBUILDER_WORKSPACE_FOLDER: FOLDER,
    ENVBUILDER_IGNORE_PATHS: KEPT,
    ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
    ...INIT,
    ...(fallback ? { ENVBUILDER_FALLBACK_IMAGE: busybox } : {}),
    ...env,
  };
  const { must, hits, result } = attempt;
  return {
    ...(must === undefined ? {} : { must }),
    ...(hits === undefined ? {} : { hits }),
    program,
    args: [],
    env: { ENVBUILDER_TEST_START: JSON.stringify(variables) },
    // What is wrong when the image is there already is nothing that another image could mend.
    refusals: fallback ? [START] : [...attempt.refusals, START],
    ...(result === undefined ? {} : { result }),
    prints: /^started$/m,
    rootfs: upper,
    changes,
    ...(fallback ? { fallback: 'bin/busybox' } : {}),
  };
}

function baseWay(
  name: string,
  layer: (input: TarInput | StreamInput) => HostileLayer,
  { fallback = false, reader }: { readonly fallback?: boolean; readonly reader?: string } = {},
): WayIn<TarInput> & WayIn<StreamInput> {
  return {
    name,
    ...(reader === undefined ? {} : { reader }),
    start: true,
    carry: (input: TarInput | StreamInput, plot: Plot, fixtures: Fixtures) => {
      publish(plot.repository, imageOf([layer(input)]));
      const after = 'after' in input ? input.after : undefined;
      const attempt = buildOn(plot, `${plot.repository.reference}:1`, after);
      const refusals = after ? [...IMAGE_REFUSALS, 3, 4, 5] : IMAGE_REFUSALS;
      return startOf({ ...attempt, refusals }, plot, fixtures, { fallback });
    },
  };
}

/** A step that is looked up in a cache with these records. */
function cacheWay<Input>(
  records: (input: Input, fixtures: Fixtures) => ReturnType<RecordInput>,
  hits = false,
): WayIn<Input> {
  return {
    name: 'start-cache',
    start: true,
    cached: true,
    carry: (input, plot, fixtures) => {
      const attempt = cachedBuild(plot, 'repo', records(input, fixtures));
      const env = { ENVBUILDER_CACHE_REPO: plot.repository.reference };
      return startOf({ ...attempt, ...(hits ? { hits } : {}) }, plot, fixtures, { env });
    },
  };
}

/** Starts on a base image, or with a cache, whose layer is a tar. */
export const startTarWays: readonly WayIn<TarInput>[] = [
  ...(['gzip', 'zstd', 'plain'] as const).map((encoding) =>
    baseWay(`start-${encoding}`, ({ bytes }) => layerOf(bytes, encoding), { reader: 'start' }),
  ),
  baseWay('start-ours', ({ bytes }) => layerOf(bytes, 'ours')),
  baseWay('start-fallback', ({ bytes }) => layerOf(bytes, 'gzip'), { fallback: true, reader: 'start' }),
  cacheWay(({ bytes }, { baseline }) => recordsWith(baseline, layerOf(bytes, 'ours'))),
];

/** Starts on a base image, or with a cache, whose layer is a stream. */
export const startStreamWays: readonly WayIn<StreamInput>[] = [
  baseWay('start', (input) => streamLayer(input as StreamInput), { reader: 'start' }),
  baseWay('start-fallback', (input) => streamLayer(input as StreamInput), {
    fallback: true,
    reader: 'start',
  }),
  cacheWay((input, { baseline }) => recordsWith(baseline, streamLayer(input))),
];

/** Starts with a cache whose layers have such tables of contents. */
export const startTableWays: readonly WayIn<TableInput>[] = [
  cacheWay((input, { baseline }) => recordsWith(baseline, recordLayer(input)), true),
];

/** Starts with a cache of such records. */
export const startRecordWays: readonly WayIn<RecordInput>[] = [
  cacheWay((input, { baseline }) => input(baseline), true),
];

/** Starts on a base image with such documents. */
export const startDocumentWays: readonly WayIn<DocumentInput>[] = [
  {
    name: 'start',
    start: true,
    // An image that can be built upon need not be one that starts.
    must: ({ name, must }) => (must === 'build' && !name.endsWith('honest') ? 'either' : must),
    carry: (input, plot, fixtures) => {
      publishDocument(input, plot);
      const attempt = buildOn(plot, `${plot.repository.reference}:1`);
      return startOf({ ...attempt, refusals: [3, 4, 5, 6, 7, 9] }, plot, fixtures);
    },
  },
];
