import { baseChainId, type StageHit, startsWith } from '../cache/hits.ts';
import { type LookupOptions, lookupRecord } from '../cache/lookup.ts';
import type { CacheRecord, LayerRef } from '../cache/types.ts';
import { once } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { LayerBlob } from '../layer/types.ts';
import { contentKey } from '../plan/keys.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import type { RootfsBackend, RootfsState, StagedLayer } from '../rootfs/types.ts';
import { appendLayer, type PendingChain, settle, settledChain, settledChainId } from './chain.ts';
import { baseImage } from './image.ts';
import { imageBlobs, layerRef } from './publishing/layer-blobs.ts';
import type { PublishRequest } from './publishing/publish.ts';

/** A stage after its last step. */
export interface StageResult {
  readonly pending: PendingChain;
  /** Chain ID of all its files. */
  chainId(): Promise<string>;
  /** When the last step was made; undefined for a stage without steps. */
  readonly created: string | undefined;
  /** Materialised on first use. */
  state(): Promise<RootfsState>;
}

/** Runs one step's operation on a state. */
export type ExecuteStep = (
  step: Step,
  state: RootfsState,
) => Promise<{ readonly state: RootfsState; readonly layer: Promise<StagedLayer | undefined> }>;

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
  /** Digest of an operation by the content of the stages that it reads from. */
  readonly contentDigest: (step: Step) => Promise<Digest>;
  readonly publish: (request: PublishRequest) => void;
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
  readonly sources: Readonly<Record<string, Promise<string>>>;
  readonly created: string | undefined;
  /**
   * A RUN made a layer in this build: its files carry new times, so no record of any earlier build lies on it, and the
   * next step need not wait until the layer is compressed to find that out.
   */
  readonly fresh: boolean;
}

/** A function that gives a stage's result, building what is missing, each stage once and, unless told otherwise, independent ones at once. */
export function createStageRunner(deps: StageRunnerDeps): (stage: number) => Promise<StageResult> {
  const results = new Map<number, Promise<StageResult>>();
  const resultOf = (index: number): Promise<StageResult> => {
    let result = results.get(index);
    if (!result) {
      result = runStage(index);
      result.catch(() => {});
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
    expectContent(missing);
    for (const step of stage.steps.slice(0, hit.depth)) finished(step, 'hit', 0);
    if (missing.some(({ operation }) => operation.kind === 'run')) expectRun();
    let cursor = await start(stage, hit);
    for (const step of missing) cursor = await advance(stage, step, cursor);
    const base = baseChainId(deps.plan, stage);
    return {
      pending: cursor.pending,
      chainId: () => settledChainId(base, cursor.pending),
      created: cursor.created,
      state: cursor.state,
    };
  }

  /**
   * The content of other stages that steps without a record will be asked for, under their content keys or for their new
   * records: all of it is fetched at once, while earlier steps run.
   */
  function expectContent(missing: readonly Step[]): void {
    // Where one tree is moved about, nothing may be read of it meanwhile; without a cache nobody asks.
    if (!deps.lookup || deps.oneAfterAnother) return;
    for (const step of missing)
      if (step.operation.kind === 'copy' && !deps.records.has(step.key))
        deps.contentDigest(step).catch(() => {});
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
      return {
        pending: parent.pending,
        state: parent.state,
        sources: {},
        created: parent.created,
        fresh: false,
      };
    }
    const sources = Object.fromEntries(
      Object.entries(hit.sources).map(([key, id]) => [key, Promise.resolve(id)]),
    );
    const pending = settledChain(hit.chain, hit.made);
    return {
      pending,
      state: materialise(stage, pending),
      sources,
      created: hit.record?.created,
      fresh: false,
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
    const sources = { ...cursor.sources };
    for (const index of step.stages) {
      sources[deps.plan.stages.get(index)!.lastKey] = resultOf(index).then((result) => result.chainId());
    }
    for (const id of Object.values(sources)) id.catch(() => {});
    const known = await find(stage, step, cursor, sources);
    if (known) {
      finished(step, 'hit', performance.now() - started);
      const pending = appendLayer(cursor.pending, Promise.resolve(known.layer));
      const state = known.layer ? materialise(stage, pending) : cursor.state;
      return { pending, state, sources, created: known.created, fresh: cursor.fresh };
    }
    deps.emit({ type: 'step-started', id: idOf(step) });
    try {
      const made = await deps.execute(step, await cursor.state());
      const layer = made.layer.then((staged) => {
        if (staged) deps.stage(staged);
        return staged && layerRef(staged);
      });
      const pending = appendLayer(cursor.pending, layer);
      deps.publish({ stage, step, pending, sources, created: deps.created });
      finished(step, 'built', performance.now() - started);
      const fresh = cursor.fresh || (step.operation.kind === 'run' && deps.plan.mtime === 'keep');
      return { pending, state: async () => made.state, sources, created: deps.created, fresh };
    } catch (error) {
      finished(step, 'failed', performance.now() - started);
      throw error;
    }
  }

  /** A record that fits the files that the stage has now: under the step's own key, else under its content key. */
  async function find(
    stage: PlannedStage,
    step: Step,
    cursor: Cursor,
    sources: Cursor['sources'],
  ): Promise<Pick<CacheRecord, 'layer' | 'created'> | undefined> {
    const record = deps.records.get(step.key);
    if (!deps.lookup || (cursor.fresh && !record)) return undefined;
    const base = baseChainId(deps.plan, stage);
    const { chain } = await settle(cursor.pending);
    const fits = (candidate: CacheRecord): boolean =>
      candidate.base === base &&
      candidate.chain.length === chain.length + (candidate.layer ? 1 : 0) &&
      startsWith(candidate.chain, chain);
    if (record && fits(record) && (await sourcesMatch(record, sources))) return record;
    if (cursor.fresh) return undefined;
    return findByContent(stage, step, cursor, sources);
  }

  /** The content key names the very files below, so only the record's own layer counts. */
  async function findByContent(
    stage: PlannedStage,
    step: Step,
    cursor: Cursor,
    sources: Cursor['sources'],
  ): Promise<Pick<CacheRecord, 'layer' | 'created'> | undefined> {
    try {
      const parent = await settledChainId(baseChainId(deps.plan, stage), cursor.pending);
      const key = contentKey(stage.contentScope, parent, await deps.contentDigest(step));
      const record = await lookupRecord(key, deps.lookup!);
      if (!record || !(await isThere(record.layer))) return undefined;
      const pending = appendLayer(cursor.pending, Promise.resolve(record.layer));
      deps.publish({ stage, step, pending, sources, created: record.created });
      return record;
    } catch (error) {
      if (!(error instanceof AppError) || deps.lookup!.signal?.aborted) throw error;
      const text = `content lookup failed and counts as a miss: ${error.message}`;
      deps.emit({ type: 'warning', code: error.code, text });
      return undefined;
    }
  }

  async function isThere(layer: LayerRef | undefined): Promise<boolean> {
    if (!layer) return true;
    if (deps.unusable.has(layer.digest)) return false;
    return (await deps.has(layer)) === layer.size;
  }

  const idOf = (step: Step) => ({ stage: step.stage, step: step.index });
  const finished = (step: Step, outcome: 'hit' | 'built' | 'failed', ms: number): void =>
    deps.emit({ type: 'step-finished', id: idOf(step), outcome, ms, key: step.key });
  return resultOf;
}

async function sourcesMatch(record: CacheRecord, sources: Cursor['sources']): Promise<boolean> {
  for (const [key, id] of Object.entries(sources)) {
    const recorded = record.sources[key];
    if (recorded !== undefined && recorded !== (await id)) return false;
  }
  return true;
}
