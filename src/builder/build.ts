import { type Digest, digestOf } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { type Emit, type Event, timed } from '../core/events.ts';
import { makeDirectories } from '../core/make-directories.ts';
import type { BuildObserver } from '../core/observer.ts';
import { prepareDirectory } from '../oci/dir-check.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { distinctPlatforms } from '../oci/platform.ts';
import type { ImageConfig, Store } from '../oci/types.ts';
import { partsOf } from '../plan/join.ts';
import type { Plan } from '../plan/types.ts';
import { settle } from './chain.ts';
import { checkEmulators } from './check-emulators.ts';
import { choosePlan, plansOf } from './choose-plan.ts';
import type { LookedInto } from './contents.ts';
import { type Execution, startExecution } from './execution.ts';
import { type AssembledImage, assembleImage, assembleIndex, manifestDescriptor } from './image.ts';
import { createLeftOut } from './left-out.ts';
import type { OutputImage } from './made-image.ts';
import { makePlan } from './make-plan.ts';
import { makeTrace, storeTrace } from './misses/trace.ts';
import { observedStages } from './observed-stages.ts';
import { checkRootfsTarget } from './outputs/rootfs-output.ts';
import { writeOutputs } from './outputs/write-outputs.ts';
import { type Attestation, createAttest } from './publishing/attestations.ts';
import { type StartedPush, startPush } from './publishing/push-image.ts';
import { createSmallLayers } from './publishing/small-layers.ts';
import { NO_RECORDS, searchRecords } from './search-records.ts';
import { createSession, type Session } from './session.ts';
import type { StainedStep } from './stage-runner.ts';
import { stainedImage } from './stains.ts';
import { imageTime } from './times.ts';
import type { BuildRequest, BuildResult, BuiltImage, IndexResult } from './types.ts';

export interface BuildDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly observer?: BuildObserver;
}

/**
 * Builds the target, taking from the cache what it holds, and stores what it does not; then writes the outputs.
 * @throws AppError of any code; the request's outputs are then not there
 */
export async function runBuild(request: BuildRequest, deps: BuildDeps): Promise<BuildResult> {
  const { images, pushedReference, summary } = await carryOut(request, [], deps);
  return { ...resultOf(images[0]!), ...(pushedReference === undefined ? {} : { pushedReference }), summary };
}

/**
 * Builds the target for several platforms in one build, and an index of the images; what they have in common is built once.
 * @throws AppError as runBuild; USAGE for an output that can hold one image alone
 */
export async function runIndexBuild(
  request: BuildRequest,
  platforms: readonly string[],
  deps: BuildDeps,
): Promise<IndexResult> {
  checkSeveral(request);
  const names = distinctPlatforms(platforms);
  const { images, index, pushedReference, summary } = await carryOut(request, names, deps);
  const indexDigest = digestOf(index!);
  return {
    indexDigest,
    descriptor: { mediaType: MEDIA_TYPES.ociIndex, digest: indexDigest, size: index!.length },
    images: images.map((image, i) => ({ platform: names[i]!, ...resultOf(image) })),
    ...(pushedReference === undefined ? {} : { pushedReference }),
    summary,
  };
}

/** @throws AppError USAGE */
function checkSeveral({ outputs, runtime }: BuildRequest): void {
  const one = outputs.find(({ type }) => type === 'docker' || type === 'inplace');
  if (!one && !runtime) return;
  const what = one?.type === 'docker' ? 'an archive for docker load' : 'a container';
  throw new AppError('USAGE', `${what} can hold the image of one platform`, {
    hint: 'name one platform, or write an OCI layout: --output type=oci,dest=DIR',
  });
}

interface Outcome {
  readonly images: readonly Made[];
  readonly index: Buffer | undefined;
  readonly pushedReference: string | undefined;
}

/** @param platforms none, or those of an index */
async function carryOut(
  request: BuildRequest,
  platforms: readonly string[],
  { emit: listener, signal, observer }: BuildDeps,
): Promise<Outcome & Pick<BuildResult, 'summary'>> {
  const { emit, summary } = countEvents(listener);
  for (const output of request.outputs) if (output.type === 'rootfs') checkRootfsTarget(output.path);
  prepareDirectories(request);
  const deps = { emit, signal, ...(observer === undefined ? {} : { observer }) };
  const contents = observer && (await import('./contents.ts')).createContents();
  const session = await createSession(request, contents ? { ...deps, seen: contents.seen } : deps);
  let push: StartedPush | undefined;
  try {
    const plan = await timed(emit, 'plan', () =>
      makePlan(request, session, { ...deps, readOnly: false }, platforms),
    );
    announce(plan, emit);
    observer?.planned(observedStages(plan));
    if (request.push) push = await startPush(request, session, plan, signal);
    const plans = session.lookup ? plansOf(request, plan) : [plan];
    const found = await searchRecords(plans, session.lookup, emit);
    const leftOut = createLeftOut(session, emit);
    for (;;) {
      const attempt = leftOut.wholeCache ? withoutCache(session) : session;
      const known = leftOut.wholeCache ? NO_RECORDS : found;
      const bad = leftOut.layers;
      const store = attempt.cacheStore;
      const small = store && createSmallLayers(store);
      const reads = readsLayers(request);
      const chosen = await choosePlan(plans, known, { store, bad, small, reads, ...deps });
      await checkEmulators(chosen, { workDir: session.workDir, signal });
      const { readAnew } = leftOut;
      const given = { ...chosen, found: known.found, small, readAnew };
      const execution = startExecution(request, attempt, given, deps);
      try {
        const result = await finish(request, attempt, { plan: chosen.plan, execution, push }, deps);
        if (contents) observer?.made(await contents.describe(lookedInto(request, result.images), signal));
        return { ...result, summary: summary() };
      } catch (error) {
        if (signal.aborted || !leftOut.learn(error, execution)) throw error;
      } finally {
        await timed(emit, 'cleanup', execution.dispose);
      }
    }
  } finally {
    await push?.stop();
    await timed(emit, 'cleanup', session.close);
  }
}

/** Whether the files of all layers are wanted, also where all are in the cache. */
function readsLayers({ outputs }: BuildRequest): boolean {
  return outputs.some(({ type }) => type === 'rootfs' || type === 'inplace');
}

/** What there is to tell of the images to those who observe the build. */
function lookedInto({ cache, trustedCaches = [] }: BuildRequest, images: readonly Made[]): LookedInto[] {
  const allLocal = cache?.type === 'directory' && trustedCaches.length === 0;
  return images.map(({ plan, image, execution, chain, bits }) => {
    const local = chain.filter(({ digest }) => allLocal || execution.isStaged(digest));
    const blobs = new Map(local.map((layer) => [layer.digest, execution.blob(layer)]));
    return { plan, image, bits, made: execution.isStaged, local: (digest) => blobs.get(digest) };
  });
}

/** What a build writes to between builds has to be there before it spends any time. @throws AppError CACHE_DIR, OUTPUT */
function prepareDirectories({ cache, stateDir }: BuildRequest): void {
  if (cache?.type === 'directory') prepareDirectory(cache.path);
  try {
    makeDirectories(stateDir, 0o700);
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot make the state directory ${stateDir}`, {
      where: { path: stateDir },
      hint: 'name another one with --state-dir',
    });
  }
}

interface Attempt {
  readonly plan: Plan;
  readonly execution: Execution;
  readonly push: StartedPush | undefined;
}

/** An image, as it is pushed and as it is written elsewhere. */
interface Made extends OutputImage {
  /** Without the runtime. */
  readonly plain: AssembledImage;
  /** As `made` of CacheRecord, of the target. */
  readonly bits: string;
  readonly stained: StainedStep | undefined;
}

async function makeImage(
  request: BuildRequest,
  plan: Plan,
  { execution, push }: Pick<Attempt, 'execution' | 'push'>,
): Promise<Made> {
  const target = await execution.resultOf(plan.target);
  const { chain, made } = await settle(target.pending);
  const layers = { chain, made, created: imageTime(plan, request, target.created) };
  const plain = assembleImage(plan, layers);
  const image = push?.runtime ? assembleImage(plan, layers, push.runtime) : plain;
  return { plan, execution, chain, plain, image, bits: made, stained: target.stained };
}

async function finish(
  request: BuildRequest,
  session: Session,
  { plan, execution, push }: Attempt,
  deps: BuildDeps,
): Promise<Outcome> {
  const images = await Promise.all(
    partsOf(plan).map((part) => makeImage(request, part, { execution, push })),
  );
  const index = plan.others ? assembleIndex(images) : undefined;
  const named = index ?? images[0]!.image.manifest;
  const plain = images.map((one) => ({ ...one, image: one.plain }));
  const attest = await timed(deps.emit, 'image', () => createAttest(request, session, plain, deps));
  // Uploads and outputs do not wait for each other; the records are complete before the image is named.
  const attestations = push ? attest({ images, index }) : [];
  const pushed = pushAll(session, { request, plan, images, index, attestations, execution, push }, deps);
  pushed.catch(() => {});
  await timed(deps.emit, 'output', () => {
    const written = { images: plain, index, attestations: attest({ images: plain, index }) };
    return writeOutputs(request, session, written, deps);
  });
  const failure = await pushed;
  if (failure && request.failOnPushError) {
    throw new AppError('PUSH_FAILED', `the build succeeded, but a push failed: ${failure.message}`, {
      cause: failure,
      ...(failure.hint ? { hint: failure.hint } : {}),
    });
  }
  const isThere = request.push && !failure && session.repositoryName !== undefined;
  const pushedReference = isThere ? `${session.repositoryName}@${digestOf(named)}` : undefined;
  return { images, index, pushedReference };
}

function resultOf({ image, plain }: Made): BuiltImage {
  return {
    imageDigest: digestOf(image.manifest),
    imageConfigDigest: digestOf(image.config),
    descriptor: manifestDescriptor(image),
    imageConfig: JSON.parse(plain.config.toString('utf8')) as ImageConfig,
    layers: image.layers.map(({ digest, size, mediaType }, i) => ({
      digest,
      size,
      mediaType,
      diffId: image.diffIds[i]!,
    })),
  };
}

interface Pushed extends Attempt {
  readonly request: BuildRequest;
  readonly images: readonly Made[];
  readonly index: Buffer | undefined;
  readonly attestations: readonly Attestation[];
}

async function pushAll(
  session: Session,
  { request, plan, images, index, attestations, execution, push }: Pushed,
  { emit, signal }: BuildDeps,
): Promise<AppError | undefined> {
  const failure = await execution.published();
  if (failure || signal.aborted) return failure;
  try {
    // What is stained was made for this container alone.
    const stained = images.find((one) => one.stained)?.stained;
    if (push && stained) throw stainedImage(stained);
    const image = push && timed(emit, 'upload', () => push.finish({ images, index, attestations }, signal));
    // Nothing but explanations depends on it, and some registries limit annotations or never replace a tag.
    const trace =
      session.ownStore && execution.builtAnything()
        ? keepTrace(session.ownStore, plan, execution, signal).catch((error: unknown) => {
            signal.throwIfAborted();
            const text = `the next build cannot explain its misses: ${(error as Error).message}`;
            emit({ type: 'message', level: 'info', text });
          })
        : undefined;
    for (const { reason } of (await Promise.allSettled([image, trace])).filter(
      (one) => one.status === 'rejected',
    ))
      throw reason;
    if (push) sayPushed(session, request, digestOf(index ?? images[0]!.image.manifest), emit);
    return undefined;
  } catch (error) {
    const known = toAppError(error, 'PUSH_FAILED', 'cannot push the image');
    emit({
      type: 'warning',
      code: known.code,
      text: known.message,
      ...(known.hint ? { hint: known.hint } : {}),
    });
    return known;
  }
}

async function keepTrace(store: Store, plan: Plan, execution: Execution, signal: AbortSignal): Promise<void> {
  const at = `${new Date().toISOString().slice(0, 19)}Z`;
  const trace = await makeTrace(plan, { at, earlier: await execution.earlier(), made: execution.made });
  await storeTrace(store, plan, trace, signal);
}

function sayPushed(
  { repositoryName }: Session,
  { tags, cacheTags = [] }: BuildRequest,
  digest: Digest,
  emit: Emit,
): void {
  const own = repositoryName === undefined ? [] : cacheTags.map((tag) => `${repositoryName}:${tag}`);
  const names = [...own, ...tags].map((name) => `, as ${name}`).join('');
  const image = `${repositoryName === undefined ? '' : `${repositoryName}@`}${digest}`;
  emit({ type: 'message', level: 'info', text: `pushed the image ${image}${names}`, image });
}

function announce(plan: Plan, emit: Emit): void {
  for (const stage of plan.stages.values()) {
    for (const { stage: index, index: step, text, range } of stage.steps) {
      emit({ type: 'step-planned', id: { stage: index, step }, stageName: stage.name, text, range });
    }
  }
}

/** The same session, with nothing to read from the cache. */
function withoutCache(session: Session): Session {
  return { ...session, cacheStore: undefined, lookup: undefined, preferCache: (layer) => layer };
}

function countEvents(listener: Emit): { emit: Emit; summary: () => BuildResult['summary'] } {
  const counts = { stepsTotal: 0, bytesPulled: 0, bytesPushed: 0 };
  // What a step came to at last: one whose layer cannot be read was a hit first.
  const outcomes = new Map<string, string>();
  const emit = (event: Event): void => {
    if (event.type === 'step-planned') counts.stepsTotal += 1;
    if (event.type === 'step-finished') outcomes.set(`${event.id.stage}.${event.id.step}`, event.outcome);
    if (event.type === 'transfer')
      counts[event.direction === 'pull' ? 'bytesPulled' : 'bytesPushed'] += event.bytes;
    listener(event);
  };
  const count = (outcome: string): number =>
    outcomes.values().reduce((sum, each) => (each === outcome ? sum + 1 : sum), 0);
  return {
    emit,
    summary: () => ({ ...counts, stepsHit: count('hit'), stepsBuilt: count('built') }),
  };
}
