import { lookupRecords } from '../cache/lookup.ts';
import type { CacheRecord } from '../cache/types.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { type Emit, type Event, timed } from '../core/events.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { prepareDirectory } from '../oci/dir-check.ts';
import type { ImageConfig, Store } from '../oci/types.ts';
import type { Plan } from '../plan/types.ts';
import { settle } from './chain.ts';
import { choosePlan, keysOf, plansOf, undatedKeysOf } from './choose-plan.ts';
import { type Execution, startExecution } from './execution.ts';
import { assembleImage } from './image.ts';
import { createLeftOut } from './left-out.ts';
import { makePlan } from './make-plan.ts';
import { makeTrace, storeTrace } from './misses/trace.ts';
import { checkRootfsTarget } from './outputs/rootfs-output.ts';
import { writeOutputs } from './outputs/write-outputs.ts';
import { type PushableImage, type StartedPush, startPush } from './publishing/push-image.ts';
import { createSession, type Session } from './session.ts';
import type { StainedStep } from './stage-runner.ts';
import { stainedImage } from './stains.ts';
import { imageTime } from './times.ts';
import type { BuildRequest, BuildResult } from './types.ts';

export interface BuildDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Builds the target, taking from the cache what it holds, and stores what it does not; then writes the outputs.
 * @throws AppError of any code; the request's outputs are then not there
 */
export async function runBuild(
  request: BuildRequest,
  { emit: listener, signal }: BuildDeps,
): Promise<BuildResult> {
  const { emit, summary } = countEvents(listener);
  for (const output of request.outputs) if (output.type === 'rootfs') checkRootfsTarget(output.path);
  prepareDirectories(request);
  const deps = { emit, signal };
  const session = await createSession(request, deps);
  let push: StartedPush | undefined;
  try {
    const plan = await timed(emit, 'plan', () => makePlan(request, session, { ...deps, readOnly: false }));
    announce(plan, emit);
    if (request.push) push = await startPush(request, session, plan, signal);
    const plans = session.lookup ? plansOf(request, plan) : [plan];
    const found = await timed(emit, 'lookup', () => lookup(session, plans));
    const leftOut = createLeftOut(session, emit);
    for (;;) {
      const attempt = leftOut.wholeCache ? withoutCache(session) : session;
      const known = leftOut.wholeCache ? new Map() : found;
      const bad = leftOut.layers;
      const chosen = await choosePlan(plans, known, { store: attempt.cacheStore, bad, ...deps });
      const execution = startExecution(request, attempt, { ...chosen, found: known }, deps);
      try {
        const result = await finish(request, attempt, { plan: chosen.plan, execution, push }, deps);
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

async function lookup(session: Session, plans: readonly Plan[]): Promise<ReadonlyMap<Digest, CacheRecord>> {
  if (!session.lookup) return new Map();
  return lookupRecords(keysOf(plans), { ...session.lookup, undated: undatedKeysOf(plans) });
}

interface Attempt {
  readonly plan: Plan;
  readonly execution: Execution;
  readonly push: StartedPush | undefined;
}

async function finish(
  request: BuildRequest,
  session: Session,
  { plan, execution, push }: Attempt,
  deps: BuildDeps,
): Promise<Omit<BuildResult, 'summary'>> {
  const target = await execution.resultOf(plan.target);
  const { chain, made } = await settle(target.pending);
  const layers = { chain, made, created: imageTime(plan, request, target.created) };
  const plain = assembleImage(plan, layers);
  const image = push?.runtime ? assembleImage(plan, layers, push.runtime) : plain;
  const imageDigest = digestOf(image.manifest);
  // Uploads and outputs do not wait for each other; the records are complete before the image is named.
  const pushed = pushAll(session, { request, plan, image, execution, push, stained: target.stained }, deps);
  pushed.catch(() => {});
  await timed(deps.emit, 'output', () =>
    writeOutputs(request, session, { plan, image: plain, chain, execution }, deps),
  );
  const failure = await pushed;
  if (failure && request.failOnPushError) {
    throw new AppError('PUSH_FAILED', `the build succeeded, but a push failed: ${failure.message}`, {
      cause: failure,
      ...(failure.hint ? { hint: failure.hint } : {}),
    });
  }
  return {
    imageDigest,
    imageConfigDigest: digestOf(image.config),
    imageConfig: JSON.parse(plain.config.toString('utf8')) as ImageConfig,
    ...(request.push && !failure && session.repositoryName
      ? { pushedReference: `${session.repositoryName}@${imageDigest}` }
      : {}),
    layers: image.layers.map(({ digest, size, mediaType }, i) => ({
      digest,
      size,
      mediaType,
      diffId: image.diffIds[i]!,
    })),
  };
}

interface Pushed extends PushableImage {
  readonly request: BuildRequest;
  readonly push: StartedPush | undefined;
  /** Set: the image is for this container alone. */
  readonly stained: StainedStep | undefined;
}

async function pushAll(
  session: Session,
  { push, stained, ...pushable }: Pushed,
  { emit, signal }: BuildDeps,
): Promise<AppError | undefined> {
  const { plan, execution } = pushable;
  const failure = await execution.published();
  if (failure || signal.aborted) return failure;
  try {
    if (push && stained) throw stainedImage(stained);
    const image = push && timed(emit, 'upload', () => push.finish(pushable, signal));
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
    if (push) sayPushed(session, pushable.request, digestOf(pushable.image.manifest), emit);
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
  const text = `pushed the image ${repositoryName === undefined ? '' : `${repositoryName}@`}${digest}${names}`;
  emit({ type: 'message', level: 'info', text });
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
  const counts = { stepsTotal: 0, stepsHit: 0, stepsBuilt: 0, bytesPulled: 0, bytesPushed: 0 };
  const emit = (event: Event): void => {
    if (event.type === 'step-planned') counts.stepsTotal += 1;
    if (event.type === 'step-finished' && event.outcome === 'hit') counts.stepsHit += 1;
    if (event.type === 'step-finished' && event.outcome === 'built') counts.stepsBuilt += 1;
    if (event.type === 'transfer')
      counts[event.direction === 'pull' ? 'bytesPulled' : 'bytesPushed'] += event.bytes;
    listener(event);
  };
  return { emit, summary: () => ({ ...counts }) };
}
