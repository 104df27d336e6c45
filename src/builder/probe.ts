import { relative } from 'node:path';
import { missingSteps, resolveHits, type StageHit } from '../cache/hits.ts';
import type { CacheRecord } from '../cache/types.ts';
import { mapLimit } from '../core/concurrency.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { type Emit, timed } from '../core/events.ts';
import { distinctPlatforms, formatPlatform } from '../oci/platform.ts';
import type { Store } from '../oci/types.ts';
import { partsOf } from '../plan/join.ts';
import type { Plan, PlannedStage } from '../plan/types.ts';
import { orderOf, plansOf } from './choose-plan.ts';
import { type AssembledImage, assembleImage, assembleIndex } from './image.ts';
import { makePlan } from './make-plan.ts';
import { causesText, createExplainer } from './misses/explain.ts';
import { readTrace } from './misses/trace.ts';
import { prepareRuntime } from './publishing/runtime.ts';
import { searchRecords } from './search-records.ts';
import { type CacheRepository, createSession, type Session } from './session.ts';
import { imageTime } from './times.ts';
import type { BuildRequest, ProbeResult } from './types.ts';

interface ProbeDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** HEAD requests under way at once. */
const PARALLEL_CHECKS = 128;

/**
 * Whether a build would find everything in the cache, and the image that it would give, without running, downloading a
 * layer, or writing anything.
 * @throws AppError CACHE_MISS naming the first instruction that is missing; NOT_PUSHED when only the image itself is
 */
export async function runProbe(request: BuildRequest, deps: ProbeDeps): Promise<ProbeResult> {
  return ask(request, [], deps);
}

/**
 * The same for the index of several platforms: whether it is there with all of its images. All is asked for at once.
 * @throws AppError as runProbe; CACHE_MISS names what is missing for each platform
 */
export async function runIndexProbe(
  request: BuildRequest,
  platforms: readonly string[],
  deps: ProbeDeps,
): Promise<ProbeResult> {
  if (request.runtime) {
    throw new AppError('USAGE', 'an image that starts by itself is probed for one platform', {
      hint: 'name one with --platform',
    });
  }
  return ask(request, distinctPlatforms(platforms), deps);
}

/** @param platforms none, or those of an index */
async function ask(
  request: BuildRequest,
  platforms: readonly string[],
  { emit, signal }: ProbeDeps,
): Promise<ProbeResult> {
  if (!request.cache && !request.trustedCaches?.length) {
    throw new AppError('USAGE', 'a probe needs a cache to look into', {
      hint: 'name it with --cache-repo (ENVBUILDER_CACHE_REPO) or --layer-cache-dir (ENVBUILDER_LAYER_CACHE_DIR)',
    });
  }
  const session = createSession({ ...request, noCache: false }, { emit, signal });
  try {
    const plan = await timed(emit, 'plan', () =>
      makePlan(request, session, { emit, signal, readOnly: true }, platforms),
    );
    const plans = plansOf(request, plan);
    const search = await searchRecords(plans, session.lookup, emit);
    const order = await orderOf(plans, search);
    const records = search.found;
    const complete = order.filter(({ missing }) => missing === 0);
    if (complete.length === 0) throw await missError(session, order[0]!.plan, records, signal);
    const found = await timed(emit, 'lookup', () =>
      Promise.allSettled(
        complete.map((one) => findPlanned(request, session, { ...one, records }, { emit, signal })),
      ),
    );
    for (const one of found) if (one.status === 'fulfilled') return one.value;
    throw (found[0] as PromiseRejectedResult).reason;
  } finally {
    await session.close();
  }
}

/** An image that all records are there for. */
interface Found {
  readonly plan: Plan;
  readonly stage: PlannedStage;
  readonly hit: StageHit;
  readonly image: AssembledImage;
}

/** The image, or the index, of a plan whose steps are all recorded. @throws AppError as findImage */
async function findPlanned(
  request: BuildRequest,
  session: Session,
  { plan, records }: { readonly plan: Plan; readonly records: ReadonlyMap<Digest, CacheRecord> },
  deps: ProbeDeps,
): Promise<ProbeResult> {
  const hits = resolveHits(plan, records);
  const images = await Promise.all(
    partsOf(plan).map(async (part): Promise<Found> => {
      const hit = hits.get(part.target)!;
      const stage = part.stages.get(part.target)!;
      const created = imageTime(part, request, hit.created);
      const runtime = request.runtime && (await prepareRuntime(request.runtime, stage.config));
      return { plan: part, stage, hit, image: assembleImage(part, { ...hit, created }, runtime) };
    }),
  );
  const manifests = images.map(({ image }) => image.manifest);
  const index = plan.others ? [assembleIndex(images)] : [];
  const named = [...index, ...manifests].map((bytes) => digestOf(bytes));
  const place = await findImage(session, images, named, deps);
  return { reference: `${place.name}@${named[0]!}`, imageDigest: named[0]! };
}

async function missError(
  { cacheStore, lookup }: Session,
  plan: Plan,
  records: ReadonlyMap<Digest, CacheRecord>,
  signal: AbortSignal,
): Promise<AppError> {
  const hits = resolveHits(plan, records);
  const parts = partsOf(plan).flatMap((part) =>
    missingSteps(part, hits)
      .slice(0, 1)
      .map((step) => ({ part, step })),
  );
  const trace = await readTrace(cacheStore!, plan, signal);
  const explain = createExplainer({ plan, trace, found: records, usable: { hits }, lookup });
  const told = await Promise.all(
    parts.map(async ({ part, step }) => {
      const { file, start } = step.range;
      const { name } = plan.stages.get(step.stage)!;
      const causes = await explain(step);
      // That nobody has built it is no news.
      const reason = causes[0]!.code === 'never-built' ? undefined : causesText(causes);
      const [instruction = ''] = step.text.split('\n');
      const prefix = plan.others ? `for ${formatPlatform(part.platform)}: ` : '';
      const place = `${relative('.', file) || file}:${start.line}, stage ${name}`;
      const text = `${prefix}${instruction} (${place})${reason ? `: ${reason}` : ''}`;
      return { text, missing: { instruction, stage: name, causes, ...(reason ? { reason } : {}) } };
    }),
  );
  return new AppError('CACHE_MISS', `not cached: ${told.map(({ text }) => text).join('; ')}`, {
    where: { range: parts[0]!.step.range },
    hint: 'build it once with the same cache and --push, then probe again',
    missing: told[0]!.missing,
  });
}

/**
 * The first repository that holds the whole of it.
 * @param named digests of all manifests, the one that is asked for first
 * @throws AppError CACHE_MISS when a layer is nowhere, NOT_PUSHED when only a manifest is
 */
async function findImage(
  { repositories }: Session,
  images: readonly Found[],
  named: readonly Digest[],
  { emit, signal }: ProbeDeps,
): Promise<CacheRepository> {
  const layers = [
    ...new Map(images.flatMap(({ image }) => image.layers).map((layer) => [layer.digest, layer])).values(),
  ];
  let refusal: AppError | undefined;
  /** What cannot be asked for is not there. */
  const orMiss = async (question: Promise<number | undefined>): Promise<number | undefined> => {
    try {
      return await question;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      refusal ??= error;
      const text = `a question to the cache failed and counts as a miss: ${error.message}`;
      emit({ type: 'warning', code: error.code, text, ...(error.hint ? { hint: error.hint } : {}) });
      return undefined;
    }
  };
  const manifestSize = async (store: Store, digest: Digest): Promise<number | undefined> =>
    (await store.resolve(digest, signal))?.bytes.length;
  const answers = await Promise.all(
    repositories.map(async ({ store }) => {
      const questions = [
        ...named.map((digest) => () => manifestSize(store, digest)),
        ...layers.map(
          ({ digest }) =>
            () =>
              store.has(digest, signal),
        ),
      ];
      const sizes = await mapLimit(questions, PARALLEL_CHECKS, (question) => orMiss(question()));
      return { manifests: sizes.slice(0, named.length), layers: sizes.slice(named.length) };
    }),
  );
  const isRight = (size: number | undefined, i: number): boolean => size === layers[i]!.size;
  const isThere = (size: number | undefined): boolean => size !== undefined;
  const place = answers.findIndex((one) => one.manifests.every(isThere) && one.layers.every(isRight));
  if (place >= 0) return repositories[place]!;
  if (refusal) {
    throw new AppError('CACHE_MISS', `the cache cannot tell whether it holds the image: ${refusal.message}`, {
      cause: refusal,
      hint: 'build it, which takes from the cache what can be had of it',
    });
  }
  const pushed = answers.some(({ manifests }) => manifests.every(isThere));
  for (const [i, { digest: layer }] of layers.entries()) {
    const sizes = answers.map((answer) => answer.layers[i]);
    if (sizes.some((size) => isRight(size, i))) continue;
    const { image, stage, hit } = images.find((one) =>
      one.image.layers.some(({ digest }) => digest === layer),
    )!;
    const unknown = sizes.every((size) => size === undefined);
    if (unknown && !pushed && comesWithThePush(layer, image)) continue;
    const at = stage.steps[0];
    throw new AppError('CACHE_MISS', `the cache has the record of a layer, but not the layer ${layer}`, {
      where: { layer, ...(at ? { range: at.range } : {}) },
      hint: `build it again: ${hit.depth} steps are recorded, and their layers will be stored anew`,
    });
  }
  const names = repositories.map(({ store }) => store.name).join(' or ');
  throw new AppError(
    'NOT_PUSHED',
    `every layer is cached, but ${notPushed(images, named)} never pushed to ${names}`,
    {
      hint: 'build it once with --push (ENVBUILDER_PUSH_IMAGE=1), which takes all layers from the cache',
    },
  );
}

function notPushed(images: readonly Found[], [first]: readonly Digest[]): string {
  const [only, ...more] = images;
  if (more.length === 0) return `the image ${digestOf(only!.image.manifest)} was`;
  const platforms = images.map(({ plan }) => formatPlatform(plan.platform)).join(' and ');
  return `the index ${first!} of the images for ${platforms} was`;
}

/** Whether a layer is no step's, so that the push of the image brings it. */
function comesWithThePush(digest: Digest, { baseLayers, runtime }: AssembledImage): boolean {
  const own = runtime?.layers.map(({ layer }) => layer) ?? [];
  return [...baseLayers, ...own].some((layer) => layer.digest === digest);
}
