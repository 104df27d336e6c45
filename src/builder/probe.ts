import { relative } from 'node:path';
import { missingSteps, resolveHits, type StageHit } from '../cache/hits.ts';
import { lookupRecords } from '../cache/lookup.ts';
import type { CacheRecord } from '../cache/types.ts';
import { mapLimit } from '../core/concurrency.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { type Emit, timed } from '../core/events.ts';
import type { Descriptor, Store } from '../oci/types.ts';
import type { Plan, PlannedStage } from '../plan/types.ts';
import { inOrder, keysOf, plansOf, undatedKeysOf } from './choose-plan.ts';
import { type AssembledImage, assembleImage } from './image.ts';
import { makePlan } from './make-plan.ts';
import { causesText, createExplainer } from './misses/explain.ts';
import { readTrace } from './misses/trace.ts';
import { prepareRuntime } from './publishing/runtime.ts';
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
export async function runProbe(request: BuildRequest, { emit, signal }: ProbeDeps): Promise<ProbeResult> {
  if (!request.cache && !request.trustedCaches?.length) {
    throw new AppError('USAGE', 'a probe needs a cache to look into', {
      hint: 'name it with --cache-repo (ENVBUILDER_CACHE_REPO) or --layer-cache-dir (ENVBUILDER_LAYER_CACHE_DIR)',
    });
  }
  const session = createSession({ ...request, noCache: false }, { emit, signal });
  try {
    const plan = await timed(emit, 'plan', () =>
      makePlan(request, session, { emit, signal, readOnly: true }),
    );
    const plans = plansOf(request, plan);
    const records = await timed(emit, 'lookup', () =>
      lookupRecords(keysOf(plans), { ...session.lookup!, undated: undatedKeysOf(plans) }),
    );
    const order = inOrder(plans, records);
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

/** The image of a plan whose steps are all recorded. @throws AppError as findImage */
async function findPlanned(
  request: BuildRequest,
  session: Session,
  { plan, records }: { readonly plan: Plan; readonly records: ReadonlyMap<Digest, CacheRecord> },
  deps: ProbeDeps,
): Promise<ProbeResult> {
  const hit = resolveHits(plan, records).get(plan.target)!;
  const stage = plan.stages.get(plan.target)!;
  const created = imageTime(plan, request, hit.created);
  const runtime = request.runtime && (await prepareRuntime(request.runtime, stage.config));
  const image = assembleImage(plan, { ...hit, created }, runtime);
  const place = await findImage(session, stage, hit, image, deps);
  const digest = digestOf(image.manifest);
  return { reference: `${place.name}@${digest}`, imageDigest: digest };
}

async function missError(
  { cacheStore, lookup }: Session,
  plan: Plan,
  records: ReadonlyMap<Digest, CacheRecord>,
  signal: AbortSignal,
): Promise<AppError> {
  const hits = resolveHits(plan, records);
  const step = missingSteps(plan, hits)[0]!;
  const { file, start } = step.range;
  const stage = plan.stages.get(step.stage)!;
  const trace = await readTrace(cacheStore!, plan, signal);
  const causes = await createExplainer({ plan, trace, found: records, usable: { hits }, lookup })(step);
  // That nobody has built it is no news.
  const reason = causes[0]!.code === 'never-built' ? undefined : causesText(causes);
  const [instruction = ''] = step.text.split('\n');
  return new AppError(
    'CACHE_MISS',
    `not cached: ${instruction} (${relative('.', file) || file}:${start.line}, stage ${stage.name})${reason ? `: ${reason}` : ''}`,
    {
      where: { range: step.range },
      hint: 'build it once with the same cache and --push, then probe again',
      missing: { instruction, stage: stage.name, causes, ...(reason ? { reason } : {}) },
    },
  );
}

/**
 * The first repository that holds the whole image.
 * @throws AppError CACHE_MISS when a layer is nowhere, NOT_PUSHED when only the image itself is
 */
async function findImage(
  { repositories }: Session,
  stage: PlannedStage,
  hit: StageHit,
  image: AssembledImage,
  { emit, signal }: ProbeDeps,
): Promise<CacheRepository> {
  const digest = digestOf(image.manifest);
  const blobs: readonly (Descriptor | undefined)[] = [undefined, ...image.layers];
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
  const manifestSize = async (store: Store): Promise<number | undefined> =>
    (await store.resolve(digest, signal))?.bytes.length;
  const answers = await Promise.all(
    repositories.map(({ store }) =>
      mapLimit(blobs, PARALLEL_CHECKS, (blob) =>
        orMiss(blob ? store.has(blob.digest, signal) : manifestSize(store)),
      ),
    ),
  );
  const isRight = (size: number | undefined, i: number): boolean => size === image.layers[i]!.size;
  const place = answers.findIndex(([manifest, ...sizes]) => manifest !== undefined && sizes.every(isRight));
  if (place >= 0) return repositories[place]!;
  if (refusal) {
    throw new AppError('CACHE_MISS', `the cache cannot tell whether it holds the image: ${refusal.message}`, {
      cause: refusal,
      hint: 'build it, which takes from the cache what can be had of it',
    });
  }
  const pushed = answers.some(([manifest]) => manifest !== undefined);
  for (const [i, { digest: layer }] of image.layers.entries()) {
    const sizes = answers.map((answer) => answer[i + 1]);
    if (sizes.some((size) => isRight(size, i))) continue;
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
    `every layer is cached, but the image ${digest} was never pushed to ${names}`,
    {
      hint: 'build it once with --push (ENVBUILDER_PUSH_IMAGE=1), which takes all layers from the cache',
    },
  );
}

/** Whether a layer is no step's, so that the push of the image brings it. */
function comesWithThePush(digest: Digest, { baseLayers, runtime }: AssembledImage): boolean {
  const own = runtime?.layers.map(({ layer }) => layer) ?? [];
  return [...baseLayers, ...own].some((layer) => layer.digest === digest);
}
