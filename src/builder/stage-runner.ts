import { chainId } from '../cache/chain-id.ts';
import { baseChainId, claimsOf, sourcesOf } from '../cache/claims.ts';
import { layerOf, neededStages, type StageHit } from '../cache/hits.ts';
import { type LookupOptions, lookupRecord } from '../cache/lookup.ts';
import type { CacheRecord, LayerRef } from '../cache/types.ts';
import { once } from '../core/concurrency.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { LIMITS } from '../core/limits.ts';
import type { LayerBlob } from '../layer/types.ts';
import { partsOf } from '../plan/join.ts';
import { contentKey } from '../plan/keys.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import type { CommittedStep, RootfsBackend, RootfsState, StagedLayer, Stain } from '../rootfs/types.ts';
import { createAgreement } from './agreement.ts';
import { appendLayer, type PendingChain, settle, settledChain, settledChainId } from './chain.ts';
import { checkDepth } from './depth.ts';
import { baseImage } from './image.ts';
import { imageBlobs, layerRef } from './publishing/layer-blobs.ts';
import type { PublishRequest, Stored } from './publishing/publish.ts';
import { whereOfStep } from './steps/step-error.ts';

/** A stage after its last step. */
export interface StageResult {
  readonly pending: PendingChain;
  /** Chain ID of all its files. */
  chainId(): Promise<string>;
  /** As in CacheRecord. */
  readonly sources: Promise<Sources>;
  /** When the last step was made; undefined for a stage without steps. */
  readonly created: string | undefined;
  /** Materialised on first use. */
  state(): Promise<RootfsState>;
  /** The step that made it right for this container alone, if any. */
  readonly stained: StainedStep | undefined;
}

/** A step that did something that no clean machine would have had it do. */
export interface StainedStep {
  readonly step: Step;
  readonly stains: readonly Stain[];
}

type Sources = CacheRecord['sources'];

/** What is known when a step is about to run. */
export interface Entry {
  /** What other builds have made meanwhile of the step and of those behind it, by key. */
  readonly records: ReadonlyMap<Digest, CacheRecord>;
  /** Where nobody else makes the step meanwhile. */
  readonly turn: Turn | undefined;
}

/** The other steps of a step's stage, in their order. */
export interface Around {
  readonly before: readonly Step[];
  readonly behind: readonly Step[];
}

/** The right to make a step, which others wait for. */
export interface Turn {
  /** Whether nobody can have taken it over meanwhile, believing us dead, or have it as well. Never fails. */
  isSure(): Promise<boolean>;
  /** To be called when the step is stored, or will not be. Never fails; may be called twice. */
  end(stored: boolean): void;
}

/** Runs one step's operation on a state. */
export type ExecuteStep = (step: Step, state: RootfsState) => Promise<CommittedStep>;

export interface StageRunnerDeps {
  readonly plan: Plan;
  readonly hits: ReadonlyMap<number, StageHit>;
  readonly records: ReadonlyMap<Digest, CacheRecord>;
  /** Layers that no record may bring back. */
  readonly unusable: ReadonlySet<Digest>;
  /** Where content keys are asked for; undefined without a cache. */
  readonly lookup: LookupOptions | undefined;
  /** The size of a layer in the cache; undefined where that does not hold it. */
  readonly has: (layer: LayerRef) => Promise<number | undefined>;
  readonly backend: () => Promise<RootfsBackend>;
  readonly baseBlob: (blob: LayerBlob) => LayerBlob;
  readonly blob: (layer: LayerRef) => LayerBlob;
  readonly stage: (layer: StagedLayer) => void;
  readonly execute: ExecuteStep;
  /** Whether an earlier build may have made the step on files that a RUN has made again just now. */
  readonly mayRepeat: (step: Step) => Promise<boolean>;
  /** Digest of an operation by the content of the stages that it reads from. */
  readonly contentDigest: (step: Step) => Promise<Digest>;
  /** As Publisher.publish; what is not stored anywhere is not there. */
  readonly publish: (request: PublishRequest) => Promise<Stored>;
  /** Called before a step runs; may wait for another build, and calls `onFree` once it looks as if none has made it. */
  readonly enter: (step: Step, around: Around, onFree: () => void) => Promise<Entry>;
  /** Why a step that ran was not taken from the cache, where that is known by now. */
  readonly reason: (step: Step) => string | undefined;
  /** Is told of a step that is not stored, and why. */
  readonly stained: (step: StainedStep) => void;
  /** RFC 3339: when this build's steps are made. */
  readonly created: string;
  /** A stage begins only when those that it needs are finished. */
  readonly oneAfterAnother: boolean;
  readonly emit: Emit;
}

/** Where a stage stands between two steps. */
interface Cursor {
  readonly pending: PendingChain;
  readonly state: () => Promise<RootfsState>;
  readonly sources: Promise<Sources>;
  readonly created: string | undefined;
  /** What becomes of the last step's record; undefined where it is not stored. */
  readonly published: Published | undefined;
  /**
   * A RUN made a layer in this build. Where its files carry new times, or nobody has made the step before, no record of any
   * earlier build lies on it, and the next step need not wait until the layer is compressed to find that out.
   */
  readonly fresh: boolean;
  /** As StageResult; what is built upon it is neither stored nor taken from the cache. */
  readonly stained: StainedStep | undefined;
}

/** A record on its way to the cache. */
interface Published {
  readonly done: Promise<Stored>;
  /** Whether nobody else can have stored one. */
  readonly alone: Promise<boolean>;
  /** The record of another build that was there first, as far as that is known by now. */
  lostTo: CacheRecord | undefined;
}

/** A function that gives a stage's result, building what is missing, each stage once and, unless told otherwise, independent ones at once. */
export function createStageRunner(deps: StageRunnerDeps): (stage: number) => Promise<StageResult> {
  const results = new Map<number, Promise<StageResult>>();
  const records = new Map(deps.records);
  const agreement = createAgreement();
  for (const index of neededStages(deps.plan, deps.hits)) {
    const { depth, record } = deps.hits.get(index)!;
    const claims = record && claimsOf(deps.plan, deps.plan.stages.get(index)!, depth, record);
    if (claims) agreement.holder(index)(claims);
  }
  const ends = new Set(partsOf(deps.plan).map(endOf));
  /** Stages that are ready. */
  const ready = new Set<number>();
  /** Steps of this build by key: what two stages have in common is made once. */
  const steps = new Map<Digest, { readonly made: Promise<Cursor>; readonly stage: string }>();
  /** Which layers of steps have been told. */
  const told = new Map<Step, Digest>();
  const resultOf = (index: number): Promise<StageResult> => {
    let result = results.get(index);
    if (!result) {
      result = runStage(index);
      result.then(
        () => ready.add(index),
        () => {},
      );
      results.set(index, result);
    }
    return result;
  };

  async function runStage(index: number): Promise<StageResult> {
    const stage = deps.plan.stages.get(index)!;
    const hit = deps.hits.get(index)!;
    const missing = stage.steps.slice(hit.depth);
    const needed = missing.flatMap((step) => step.stages);
    if (deps.oneAfterAnother) for (const other of needed) await resultOf(other);
    else for (const other of needed) void resultOf(other);
    for (const step of stage.steps.slice(0, hit.depth)) {
      finished(step, 'hit', 0);
      tellLayer(step, layerOf(hit, step.index));
    }
    if (missing.some(({ operation }) => operation.kind === 'run')) expectRun();
    let cursor = await start(stage, hit);
    for (const step of missing) cursor = await advanceOnce(stage, step, cursor);
    cursor = await settleEnd(stage, cursor);
    const base = baseChainId(deps.plan, stage);
    const { pending, sources, created, state, stained } = cursor;
    return { pending, chainId: () => settledChainId(base, pending), sources, created, state, stained };
  }

  /** The same step of another stage of this build is this step. */
  function advanceOnce(stage: PlannedStage, step: Step, cursor: Cursor): Promise<Cursor> {
    const known = steps.get(step.key);
    if (known) {
      const started = performance.now();
      deps.emit({ type: 'step-waiting', id: idOf(step), ms: 0, stage: known.stage });
      return known.made.then((made) => {
        finished(step, 'hit', performance.now() - started);
        return made;
      });
    }
    const made = advance(stage, step, cursor);
    steps.set(step.key, { made, stage: stage.name });
    return made;
  }

  /** All who race for a target end with the same one: that which was stored first, which is complete in itself. */
  async function settleEnd(stage: PlannedStage, cursor: Cursor): Promise<Cursor> {
    const last = stage.steps.at(-1);
    if (!last || !cursor.published) return cursor;
    const isEnd = ends.has(stage.index);
    if (isEnd && (await cursor.published.alone)) return cursor;
    const record = isEnd ? (await cursor.published.done).earlier : cursor.published.lostTo;
    if (!record || (!isEnd && !(await agrees(stage, last, record, cursor.sources)))) return cursor;
    return onto(stage, last, record);
  }

  /**
   * The content of other stages that a step which is made here and those behind it will be asked for, under their content keys
   * or for their new records: all of it is fetched at once, while earlier steps run.
   */
  function expectContent(missing: readonly Step[]): void {
    // Where one tree is moved about, nothing may be read of it meanwhile; without a cache nobody asks.
    if (!deps.lookup || deps.oneAfterAnother) return;
    for (const step of missing)
      if (copiesStage(step) && !records.has(step.key)) deps.contentDigest(step).catch(() => {});
  }

  /** A back end that cannot be opened is the failure of the step that needs it, not of one that may yet be found. */
  function expectRun(): void {
    deps.backend().then(
      (backend) => backend.expectRun(),
      () => {},
    );
  }

  async function start(stage: PlannedStage, hit: StageHit): Promise<Cursor> {
    if (hit.depth === 0 && stage.base.type === 'stage') {
      const parent = await resultOf(stage.base.stage);
      const { pending, state, sources, created, stained } = parent;
      return { pending, state, sources, created, published: undefined, fresh: false, stained };
    }
    const last = stage.steps[hit.depth - 1];
    if (hit.record && last) return onto(stage, last, hit.record);
    const pending = settledChain(hit.chain, hit.made);
    const state = materialise(stage, pending);
    return {
      pending,
      state,
      sources: NO_SOURCES,
      created: undefined,
      published: undefined,
      fresh: false,
      stained: undefined,
    };
  }

  /** Goes on from a record, which names all layers, whatever the stage has made so far. */
  function onto(stage: PlannedStage, step: Step, record: CacheRecord): Cursor {
    tellLayer(step, record.layer);
    const claims = claimsOf(deps.plan, stage, step.index + 1, record);
    if (claims) agreement.holder(stage.index)(claims);
    const pending = settledChain(record.chain, record.made);
    return {
      pending,
      state: materialise(stage, pending),
      sources: Promise.resolve(record.sources),
      created: record.created,
      published: undefined,
      fresh: false,
      stained: undefined,
    };
  }

  function materialise(stage: PlannedStage, pending: PendingChain): () => Promise<RootfsState> {
    return once(async () => {
      const base = baseImage(deps.plan, stage);
      const { chain } = await settle(pending);
      const blobs = [...(base ? imageBlobs(base).map(deps.baseBlob) : []), ...chain.map(deps.blob)];
      return (await deps.backend()).fromLayers(blobs);
    });
  }

  async function advance(stage: PlannedStage, step: Step, cursor: Cursor): Promise<Cursor> {
    const started = performance.now();
    const sources = withSources(step, cursor.sources);
    const hit = (found: Cursor): Cursor => {
      finished(step, 'hit', performance.now() - started);
      return found;
    };
    sayWaiting(step);
    // What a stained step left in a mount no record knows of.
    if (cursor.stained) return execute(stage, step, cursor, { sources, turn: undefined });
    const known = await findByKey(stage, step, cursor, sources);
    if (known) return hit(known);
    const byContent = await mayFindByContent(step, cursor);
    // To know the content of a stage it is unpacked: not by those who only wait for the one that makes the step.
    const late = byContent && copiesStage(step);
    if (late) await Promise.all(step.stages.map(resultOf));
    const same = byContent && !late && (await findByContent(stage, step, cursor, sources));
    if (same) return hit(same);
    const around = { before: stage.steps.slice(0, step.index), behind: stage.steps.slice(step.index + 1) };
    // What the step needs is made ready meanwhile; what fails then fails the step.
    const prepare = (): void => {
      // In place a tree that somebody else's record makes useless is of no use to the next one either.
      if (!deps.oneAfterAnother) cursor.state().catch(() => {});
      expectContent([step, ...around.behind]);
    };
    const { records: made, turn } = await deps.enter(step, around, prepare);
    try {
      for (const [key, record] of made) records.set(key, record);
      const meanwhile = made.size > 0 && (await findByKey(stage, step, cursor, sources));
      if (meanwhile) {
        turn?.end(false);
        return hit(meanwhile);
      }
      expectContent([step, ...around.behind]);
      const found = late && (await findByContent(stage, step, cursor, sources));
      if (found) {
        const stored = found.published?.done ?? Promise.resolve({ there: false });
        void stored.then(({ there }) => turn?.end(there));
        return hit(found);
      }
      return await execute(stage, step, await rejoined(stage, step, cursor), { sources, turn });
    } catch (error) {
      turn?.end(false);
      throw error;
    }
  }

  /** Where the step below was stored by another build first, this one goes on from there: so all who race come together. */
  async function rejoined(stage: PlannedStage, step: Step, cursor: Cursor): Promise<Cursor> {
    const record = cursor.published?.lostTo;
    const below = stage.steps[step.index - 1];
    if (!record || !below || !(await agrees(stage, below, record, cursor.sources))) return cursor;
    return onto(stage, below, record);
  }

  async function execute(
    stage: PlannedStage,
    step: Step,
    cursor: Cursor,
    { sources, turn }: { sources: Promise<Sources>; turn: Turn | undefined },
  ): Promise<Cursor> {
    await stagesOf(step, cursor);
    const started = performance.now();
    deps.emit({ type: 'step-started', id: idOf(step) });
    try {
      const made = await deps.execute(step, await cursor.state());
      const layer = made.layer.then((staged) => {
        if (staged) deps.stage(staged);
        const own = staged && layerRef(staged);
        tellLayer(step, own);
        return own;
      });
      const pending = appendLayer(cursor.pending, layer);
      await checkLayers(stage, step, pending);
      const { created } = deps;
      if (made.stains.length > 0) deps.stained({ step, stains: made.stains });
      const stained = await stainedBy(step, cursor, made.stains);
      const alone = turn?.isSure() ?? NOT_ALONE;
      const published = stained
        ? undefined
        : follow(deps.publish({ stage, step, pending, sources, created, alone }), alone);
      if (published) void published.done.then(({ there }) => turn?.end(there));
      else turn?.end(false);
      void hold(stage, step, pending, sources);
      finished(step, 'built', performance.now() - started, deps.reason(step));
      const fresh = cursor.fresh || step.operation.kind === 'run';
      return {
        pending,
        state: async () => made.state,
        sources,
        created,
        published,
        fresh,
        stained,
      };
    } catch (error) {
      finished(step, 'failed', performance.now() - started);
      throw error;
    }
  }

  /** @throws AppError BUILD_FAILED */
  async function checkLayers(stage: PlannedStage, step: Step, pending: PendingChain): Promise<void> {
    const below = baseImage(deps.plan, stage)?.parsed.layers.length ?? 0;
    // Whether the last ones have changed anything is known when they are compressed; nobody waits for that before.
    if (below + pending.layers.length <= LIMITS.layers.most) return;
    const { chain } = await settle(pending);
    checkDepth(below + chain.length, whereOfStep(step));
  }

  function tellLayer(step: Step, layer: LayerRef | null | undefined): void {
    if (!layer || told.get(step) === layer.digest) return;
    told.set(step, layer.digest);
    deps.emit({ type: 'step-layer', id: idOf(step), digest: layer.digest, bytes: layer.size });
  }

  function sayWaiting(step: Step): void {
    const other = step.stages.find((index) => !ready.has(index));
    if (other === undefined) return;
    deps.emit({ type: 'step-waiting', id: idOf(step), ms: 0, stage: deps.plan.stages.get(other)!.name });
  }

  /** Waits for the stages that a step reads, while what lies below it is made ready. */
  async function stagesOf(step: Step, cursor: Cursor): Promise<void> {
    if (step.stages.every((index) => ready.has(index))) return;
    const others = Promise.all(step.stages.map(resultOf));
    const below = cursor.state();
    // The first to fail is the failure of the build.
    await Promise.race([others, below.then(() => others)]);
  }

  /** What keeps a step that was just made from the cache: itself, what is below it, or a stage that it reads from. */
  async function stainedBy(
    step: Step,
    cursor: Cursor,
    stains: readonly Stain[],
  ): Promise<StainedStep | undefined> {
    if (cursor.stained) return cursor.stained;
    if (stains.length > 0) return { step, stains };
    const read = await Promise.all(step.stages.map(resultOf));
    return read.find(({ stained }) => stained)?.stained;
  }

  /** The sources of a step: those of the steps below, the stages that it reads from, and what those have read. */
  function withSources(step: Step, below: Promise<Sources>): Promise<Sources> {
    const read = step.stages.map(async (index) => {
      const result = await resultOf(index);
      const made = await settle(result.pending);
      return { ...(await result.sources), ...sourcesOf(deps.plan, deps.plan.stages.get(index)!, made) };
    });
    const all = Promise.all([below, ...read]).then((parts): Sources => Object.assign({}, ...parts));
    all.catch(() => {});
    return all;
  }

  /** Remembers what a stage has made, against records that say otherwise. */
  async function hold(
    stage: PlannedStage,
    step: Step,
    pending: PendingChain,
    sources: Promise<Sources>,
  ): Promise<void> {
    const keep = agreement.holder(stage.index);
    try {
      const made = {
        ...(await settle(pending)),
        base: baseChainId(deps.plan, stage),
        sources: await sources,
      };
      const claims = claimsOf(deps.plan, stage, step.index + 1, made);
      if (claims) keep(claims);
    } catch {
      // A layer that fails is reported by whoever waits for it.
    }
  }

  /** Whether a stage can go on from a record without mixing what two builds have made. */
  async function agrees(
    stage: PlannedStage,
    step: Step,
    record: CacheRecord,
    sources: Promise<Sources>,
  ): Promise<boolean> {
    const claims = claimsOf(deps.plan, stage, step.index + 1, record);
    if (!claims || !agreement.admits(stage.index, claims)) return false;
    const present = await Promise.all(record.chain.map(isThere));
    return present.every(Boolean) && sameSources(record.sources, await sources);
  }

  /** Whether a record of the step may lie under its content key. */
  async function mayFindByContent(step: Step, { fresh }: Cursor): Promise<boolean> {
    return deps.lookup !== undefined && (!fresh || (await deps.mayRepeat(step)));
  }

  async function findByKey(
    stage: PlannedStage,
    step: Step,
    cursor: Cursor,
    sources: Promise<Sources>,
  ): Promise<Cursor | undefined> {
    const record = records.get(step.key);
    if (!record || !(await agrees(stage, step, record, sources))) return undefined;
    const made = onto(stage, step, record);
    // A step that changed nothing leaves the files where they are.
    const same = !record.layer && sameChain(await settle(cursor.pending), record);
    return same ? { ...made, state: cursor.state } : made;
  }

  /** The content key names the very files below, so only the record's own layer counts. */
  async function findByContent(
    stage: PlannedStage,
    step: Step,
    cursor: Cursor,
    sources: Promise<Sources>,
  ): Promise<Cursor | undefined> {
    try {
      const parent = await settledChainId(baseChainId(deps.plan, stage), cursor.pending);
      const key = contentKey(stage.contentScope, parent, await deps.contentDigest(step));
      const record = await lookupRecord(key, deps.lookup!);
      if (record && filesBelow(record) !== parent)
        throw new AppError('CORRUPT', `the cache record ${hexOf(key).slice(0, 12)} belongs to other files`);
      // The same step on the same files, which another build has made meanwhile: its record needs no other one.
      if (record?.key === step.key) {
        records.set(step.key, record);
        const made = await findByKey(stage, step, cursor, sources);
        if (made) return made;
      }
      if (!record || (record.layer && !(await isThere(record.layer)))) return undefined;
      const { layer, created } = record;
      const pending = appendLayer(cursor.pending, Promise.resolve(layer));
      const alone = NOT_ALONE;
      const published = follow(deps.publish({ stage, step, pending, sources, created, alone }), alone);
      void hold(stage, step, pending, sources);
      const state = layer ? materialise(stage, pending) : cursor.state;
      return { pending, state, sources, created, published, fresh: cursor.fresh, stained: undefined };
    } catch (error) {
      if (!(error instanceof AppError) || deps.lookup!.signal?.aborted) throw error;
      const text = `content lookup failed and counts as a miss: ${error.message}`;
      deps.emit({ type: 'warning', code: error.code, text });
      return undefined;
    }
  }

  const asked = new Map<Digest, Promise<boolean>>();
  function isThere(layer: LayerRef): Promise<boolean> {
    if (deps.unusable.has(layer.digest)) return Promise.resolve(false);
    const answer = asked.get(layer.digest) ?? askFor(layer);
    asked.set(layer.digest, answer);
    return answer;
  }

  /** A layer that the cache cannot be asked for is one that it does not hold: its step is built. */
  async function askFor(layer: LayerRef): Promise<boolean> {
    try {
      return (await deps.has(layer)) === layer.size;
    } catch (error) {
      deps.lookup?.signal?.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      const text = `the cached layer ${layer.digest} cannot be asked for and counts as gone: ${error.message}`;
      deps.emit({ type: 'warning', code: error.code, text });
      return false;
    }
  }

  const idOf = (step: Step) => ({ stage: step.stage, step: step.index });
  const finished = (
    step: Step,
    outcome: 'hit' | 'built' | 'failed',
    ms: number,
    reason: string | undefined = undefined,
  ): void =>
    deps.emit({
      type: 'step-finished',
      id: idOf(step),
      outcome,
      ms,
      key: step.key,
      ...(reason === undefined ? {} : { reason }),
    });
  return resultOf;
}

/** Whether a step's content key is made of files of other stages. */
function copiesStage({ operation, stages }: Step): boolean {
  return operation.kind === 'copy' && stages.length > 0;
}

const NO_SOURCES: Promise<Sources> = Promise.resolve({});

const NOT_ALONE = Promise.resolve(false);

function follow(done: Promise<Stored>, alone: Promise<boolean>): Published {
  const published: Published = { done, alone, lostTo: undefined };
  void done.then(({ earlier }) => {
    published.lostTo = earlier;
  });
  return published;
}

/** Chain ID of the files that a record's step worked on. */
function filesBelow({ base, chain, layer }: CacheRecord): string {
  const below = layer ? chain.slice(0, -1) : chain;
  return chainId(
    base,
    below.map(({ diffId }) => diffId),
  );
}

/** The stage whose last step is the target's: the target, or one that it goes on from without steps of its own. */
function endOf({ stages, target }: Plan): number {
  let stage = stages.get(target)!;
  while (stage.steps.length === 0 && stage.base.type === 'stage') stage = stages.get(stage.base.stage)!;
  return stage.index;
}

function sameSources(recorded: Sources, present: Sources): boolean {
  return Object.entries(present).every(([key, id]) => (recorded[key] ?? id) === id);
}

function sameChain(
  { chain, made }: { readonly chain: readonly LayerRef[]; readonly made: string },
  record: CacheRecord,
): boolean {
  const same = chain.every((layer, i) => layer.diffId === record.chain[i]?.diffId);
  return same && chain.length === record.chain.length && record.made === `${made}0`;
}
