import { join } from 'node:path';
import { missingSteps } from '../cache/hits.ts';
import type { CacheRecord, LayerRef } from '../cache/types.ts';
import { once } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { BuildObserver } from '../core/observer.ts';
import type { LayerBlob } from '../layer/types.ts';
import type { BlobSource, Store } from '../oci/types.ts';
import { isProxyArg } from '../plan/environment.ts';
import type { Plan, Step, TreeSource } from '../plan/types.ts';
import type { InplaceBackend } from '../rootfs/inplace/backend.ts';
import type { RootfsBackend, RootfsState } from '../rootfs/types.ts';
import { createBeneath } from '../sys/beneath.ts';
import { createFlight, type Flight } from './flight.ts';
import { baseImage } from './image.ts';
import { causesText, createExplainer } from './misses/explain.ts';
import { readTrace, remembers, type Trace } from './misses/trace.ts';
import { openBackend } from './open-backend.ts';
import { createLayerLocator, imageBlobs } from './publishing/layer-blobs.ts';
import { createPublisher } from './publishing/publish.ts';
import type { SmallLayers } from './publishing/small-layers.ts';
import type { Session } from './session.ts';
import { sharedBases } from './shared-bases.ts';
import { createStageRunner, type StageResult } from './stage-runner.ts';
import { stainWarning } from './stains.ts';
import { createContentDigests } from './steps/content-digest.ts';
import { copyDirectory, writeContextTree } from './steps/context-tree.ts';
import { createExecutor } from './steps/execute-step.ts';
import { setAllTimes } from './steps/fixed-times.ts';
import { createMounts } from './steps/mounts.ts';
import { createNetworkFiles } from './steps/network-files.ts';
import { HOSTNAME } from './steps/run-step.ts';
import type { BuildRequest } from './types.ts';
import { createUsableRecord, type UsableRecords } from './usable-records.ts';
import { createFileLocks } from './work-dir/file-locks.ts';

/** One attempt at a plan: its stages, and what it has stored. */
export interface Execution {
  readonly resultOf: (stage: number) => Promise<StageResult>;
  /** A layer of the chain, wherever it is. */
  readonly blob: (layer: LayerRef) => LayerBlob;
  /** The layers of a stage's base image, from the cache where that holds them. */
  baseBlobs(stage: number): LayerBlob[];
  /** Whether a layer was to be read from the cache. */
  readonly fromCache: (digest: Digest) => boolean;
  /** Waits until records and layers are stored; the first failure, if any. */
  published(): Promise<AppError | undefined>;
  /** A layer of the chain as something to put into another store. */
  readonly source: (layer: Pick<LayerRef, 'digest' | 'size'>, to: Store) => Promise<BlobSource>;
  /** Whether a layer was made here. */
  readonly isStaged: (digest: Digest) => boolean;
  /** Whether any step ran. */
  builtAnything(): boolean;
  /** Whether a step ran. */
  readonly made: (key: Digest) => boolean;
  /** What the last build of the same stages left. */
  earlier(): Promise<Trace | undefined>;
  /** Makes the root file system the target's; only with the back end `inplace`. */
  settle(): Promise<void>;
  dispose(): Promise<void>;
}

/** A plan, and what the cache has of it. */
interface Chosen {
  readonly plan: Plan;
  readonly usable: UsableRecords;
  /** Every record that was found, whether it can be used or not. */
  readonly found: ReadonlyMap<Digest, CacheRecord>;
  /** What was read of the cache's layers when they were asked for. */
  readonly small?: SmallLayers | undefined;
  /** As LeftOut. */
  readonly readAnew: ReadonlySet<Digest>;
}

/** Gets ready to carry out a plan; nothing runs, and no right is needed, until a stage is asked for that misses steps. */
export function startExecution(
  request: BuildRequest,
  session: Session,
  { plan, usable, found, small, readAnew }: Chosen,
  deps: { readonly emit: Emit; readonly signal: AbortSignal; readonly observer?: BuildObserver },
): Execution {
  const { emit, observer } = deps;
  const stop = new AbortController();
  const signal = AbortSignal.any([deps.signal, stop.signal]);
  const store = session.cacheStore;
  const locator = createLayerLocator(store, small);
  const preferred = new Set<Digest>();
  /** A layer of a base image, from the cache unless its copy there turned out to be damaged. */
  const baseBlob = (layer: LayerBlob): LayerBlob => {
    // The digest of the tar, which keys are made of, is that of a stream alone.
    const { toc, ...plain } = layer;
    const isWhole = stores || readAnew.has(layer.digest);
    const checked = { ...plain, ...(toc && !isWhole && { toc }), checkDiffId: stores };
    if (!store || usable.unusable.has(layer.digest)) return checked;
    return session.preferCache(checked, () => preferred.add(layer.digest));
  };
  const misses = missingSteps(plan, usable.hits).length > 0;
  /** Whether records may be stored, for others to find by the diffIDs of base layers. */
  const stores = misses && session.ownStore !== undefined;
  const built = new Set<Digest>();
  let opened: RootfsBackend | InplaceBackend | undefined;
  const inPlace = request.backend?.kind === 'inplace';

  const backend = once(async () => {
    const made = openBackend(request, session, {
      emit,
      signal,
      sharedBases: sharedBases(plan, usable.hits),
    });
    opened = made;
    return made;
  });
  const stateOf = async (source: TreeSource): Promise<RootfsState> => {
    if (source.type === 'stage') return (await resultOf(source.stage)).state();
    const blobs = source.type === 'image' ? imageBlobs(source.image).map(baseBlob) : [];
    return (await backend()).fromLayers(blobs);
  };
  const mtime = plan.mtime === 'keep' ? undefined : plan.mtime;
  const copy = {
    mtime,
    workDir: session.workDir,
    syscalls: session.syscalls,
    stateOf,
    sources: session.sources,
    signal,
  };
  const contentDigest = createContentDigests({
    syscalls: session.syscalls,
    stateOf,
    resultOf: (stage) => resultOf(stage),
  });
  const { ownStore, trust } = session;
  const publisher = ownStore
    ? createPublisher({
        plan,
        store: ownStore,
        trust,
        staged: locator.staged,
        damaged: usable.unusable,
        cached: ownStore === store ? undefined : (layer) => session.cachedSource(layer, ownStore),
        contentDigest,
        usable:
          session.lookup &&
          createUsableRecord(session.lookup, { ownStore, store: store!, unusable: usable.unusable }),
        emit,
        signal,
      })
    : undefined;
  const flight = openFlight(request, session, { emit, signal });
  const setTimes = (directory: string): void => setAllTimes(directory, mtime, session.syscalls);
  const execute = once(() =>
    createExecutor({
      run: {
        mounts: createMounts({
          workDir: session.workDir(),
          reachable: inPlace,
          cacheDir: join(request.stateDir, 'cache-mounts'),
          locks: createFileLocks(session.syscalls),
          openBeneath: createBeneath(session.syscalls()),
          signal,
          openRepository: session.openRepository,
          secrets: request.secrets,
          ssh: request.ssh,
          stateOf,
          copyStage: async (source, path, target) => {
            const state = await stateOf(source);
            await state.read((root) => copyDirectory(session.syscalls(), root, path, target));
          },
          setTimes,
          writeTree: (tree, items, target) =>
            writeContextTree(session.syscalls(), tree, items, target, mtime),
        }),
        networkFiles: createNetworkFiles(
          join(session.workDir(), 'network'),
          request.buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME') || HOSTNAME,
          setTimes,
        ),
        allowedDevices: request.allowedDevices ?? [],
        proxyEnv: { ...request.proxyEnv, ...proxyArgs(request) },
        mtime,
        emit,
        signal,
      },
      copy,
      commit: { compression: request.compression, ...(mtime === undefined ? {} : { mtime }) },
    }),
  );
  const earlier = once(async () => (store ? readTrace(store, plan, signal) : undefined));
  // With times of their own, files never are what an earlier build made of them.
  const mayRepeat = async (step: Step): Promise<boolean> =>
    session.lookup && mtime !== undefined ? remembers(await earlier(), step) : false;
  const { lookup } = session;
  const reasonOf = createReasons(async (step) => {
    const trace = await earlier();
    if (!lookup && !observer) return undefined;
    const causes = await createExplainer({ plan, trace, found, usable, lookup })(step);
    observer?.missed({ stage: step.stage, step: step.index }, causes);
    if (!lookup) return undefined;
    // What follows from the step before, or from there being no earlier build, is no news in the log of a build.
    const news = causes.filter(({ code }) => code !== 'step-before' && code !== 'never-built');
    return news.length > 0 ? causesText(news) : undefined;
  });
  const resultOf = createStageRunner({
    plan,
    ...usable,
    lookup: session.lookup && { ...session.lookup, signal },
    has: async (layer) => (small ? small.has(layer, signal) : store?.has(layer.digest, signal)),
    backend,
    baseBlob,
    blob: locator.blob,
    stage: locator.stage,
    execute: async (step, state) => {
      if (request.onlyCached) throw notCached(plan, step);
      built.add(step.key);
      // The answers are there when the step is done.
      void mayRepeat(step);
      reasonOf.ask(step);
      const result = await execute()(step, state);
      // The publisher wants it too; in place nothing reads a stage while a step may move it.
      if (inPlace && ownStore) await contentDigest(step).catch(() => {});
      return result;
    },
    reason: reasonOf.known,
    stained: (stained) => emit(stainWarning(stained)),
    oneAfterAnother: inPlace,
    mayRepeat,
    contentDigest,
    publish: async (publication) => {
      const stored = publisher?.publish(publication);
      // Without a lookup nobody goes on from what others have made.
      return (session.lookup && (await stored)) ?? { there: false };
    },
    enter: async (...how) => flight?.enter(...how) ?? { records: new Map(), turn: undefined },
    created: `${new Date().toISOString().slice(0, 19)}Z`,
    emit,
  });

  return {
    resultOf,
    blob: locator.blob,
    baseBlobs: (stage) => {
      const base = baseImage(plan, plan.stages.get(stage)!);
      return base ? imageBlobs(base).map(baseBlob) : [];
    },
    fromCache: (digest) => preferred.has(digest) || locator.fromStore(digest),
    published: async () => publisher?.done(),
    source: async (layer, to) => locator.stagedSource(layer.digest) ?? session.cachedSource(layer, to),
    isStaged: (digest) => locator.staged(digest) !== undefined,
    builtAnything: () => built.size > 0,
    made: (key) => built.has(key),
    earlier,
    settle: async () => {
      const target = await (await resultOf(plan.target)).state();
      const made = await backend();
      if (!('settle' in made))
        throw new AppError('INTERNAL', 'only the back end "inplace" replaces the root file system');
      await made.settle(target);
    },
    dispose: async () => {
      stop.abort();
      await publisher?.done();
      await opened?.dispose();
    },
  };
}

/** Undefined where nothing is looked up, or nothing can be stored. */
function openFlight(
  { cacheWaitMs }: BuildRequest,
  { lookup, hastyStore: store, leases }: Session,
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Flight | undefined {
  if (!lookup || !store) return undefined;
  const again = { ...lookup, stores: [store], signal };
  return createFlight({ lookup: again, leases, patience: cacheWaitMs, emit, signal });
}

/** Answers that nobody waits for: what is not known when it is wanted is not said. */
function createReasons(find: (step: Step) => Promise<string | undefined>) {
  const answers = new Map<Digest, string>();
  return {
    ask: (step: Step): void =>
      void find(step).then(
        (reason) => reason !== undefined && answers.set(step.key, reason),
        () => {},
      ),
    known: ({ key }: Step): string | undefined => answers.get(key),
  };
}

function notCached(plan: Plan, { text, range, stage }: Step): AppError {
  const name = plan.stages.get(stage)!.name;
  return new AppError('CACHE_MISS', `not cached: ${text.split('\n')[0]} (stage ${name})`, {
    where: { range },
    hint: 'build it once with the same cache and --push, then probe again',
  });
}

function proxyArgs({ buildArgs }: BuildRequest): Record<string, string> {
  const given = [...buildArgs].filter(([name]) => isProxyArg(name));
  const both = given.flatMap(([name, value]) => [
    [name.toLowerCase(), value],
    [name.toUpperCase(), value],
  ]);
  return Object.fromEntries([...both, ...given]);
}
