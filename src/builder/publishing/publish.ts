import { setTimeout as sleep } from 'node:timers/promises';
import { ageTag, storeAge } from '../../cache/age.ts';
import { baseChainId } from '../../cache/claims.ts';
import { EMPTY_LAYER_BYTES } from '../../cache/empty-layer.ts';
import { encodeRecord, type RecordForm } from '../../cache/record.ts';
import type { Trust } from '../../cache/trust.ts';
import type { CacheRecord, LayerRef } from '../../cache/types.ts';
import { type Digest, digestOf, hexOf } from '../../core/digest.ts';
import { type AppError, toAppError } from '../../core/error.ts';
import { type Emit, timed } from '../../core/events.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { refusesManifest } from '../../oci/http/errors.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import type { BlobSource, Store } from '../../oci/types.ts';
import { contentKey } from '../../plan/keys.ts';
import type { Plan, PlannedStage, Step } from '../../plan/types.ts';
import type { StagedLayer } from '../../rootfs/types.ts';
import { type PendingChain, settle, settledChainId } from '../chain.ts';
import { stagedSource } from './layer-blobs.ts';

/** How long others may take from their look to their record, in milliseconds. */
const SETTLE_MS = 60;
const MOST_SETTLE_MS = 2000;
const FORMS: readonly RecordForm[] = ['full', 'lean', 'opaque'];

/** A step whose record is to be stored. */
export interface PublishRequest {
  readonly stage: PlannedStage;
  readonly step: Step;
  /** Up to and including this step. */
  readonly pending: PendingChain;
  readonly sources: Promise<CacheRecord['sources']>;
  readonly created: string;
  /** Nobody else makes this step meanwhile, so nobody is asked before it is stored. */
  readonly alone: Promise<boolean>;
}

/** What became of a record. */
export interface Stored {
  /** It is under its key now, or one of another build is. */
  readonly there: boolean;
  /**
   * That of another build, which was stored before ours and stays: the first who writes wins, so that all who race have one
   * result.
   */
  readonly earlier?: CacheRecord;
}

/** Stores layers and records while the build goes on. */
export interface Publisher {
  /** What fails is a warning; the promise is never rejected. */
  publish(request: PublishRequest): Promise<Stored>;
  /** Waits until all is stored; gives the first failure, which was also a warning. */
  done(): Promise<AppError | undefined>;
}

export interface PublisherDeps {
  readonly plan: Plan;
  readonly store: Store;
  readonly trust: Trust;
  readonly staged: (digest: Digest) => StagedLayer | undefined;
  /** Layers that cannot be read from where they are stored. */
  readonly damaged: ReadonlySet<Digest>;
  /** A layer of another repository of the cache; undefined when there is none besides the store. */
  readonly cached: ((layer: LayerRef) => Promise<BlobSource>) | undefined;
  readonly contentDigest: (step: Step) => Promise<Digest>;
  /** A record that a build could go on from, among those under a key; undefined when whatever is there is replaced. */
  readonly usable: ((key: Digest) => Promise<CacheRecord | undefined>) | undefined;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * A record becomes visible only after every layer of its chain: blob, config, manifest, tag. A failure is a warning and
 * is remembered; later records on top of the failed layer are not stored.
 */
export function createPublisher(deps: PublisherDeps): Publisher {
  const { store, emit, signal } = deps;
  const tasks: Promise<unknown>[] = [];
  const puts = new Map<Digest, Promise<void>>();
  let failure: AppError | undefined;
  let warnedOfTags = false;
  let form: RecordForm = 'full';
  let takesNoNotes = false;

  const putOnce = (digest: Digest, put: () => Promise<unknown>): Promise<void> => {
    let task = puts.get(digest);
    if (!task) {
      task = timed(emit, 'upload', put).then(() => {});
      task.catch(() => {});
      puts.set(digest, task);
    }
    return task;
  };
  const putBytes = (bytes: Buffer): Promise<void> =>
    putOnce(digestOf(bytes), () => store.put(bytesSource(bytes), signal));

  const ensureLayer = async (layer: LayerRef): Promise<void> => {
    const staged = deps.staged(layer.digest);
    const anew = deps.damaged.has(layer.digest) ? ({ anew: true } as const) : {};
    if (staged) await putOnce(layer.digest, () => store.put({ ...stagedSource(staged), ...anew }, signal));
  };

  const storeRecord = async (request: PublishRequest): Promise<Stored> => {
    const { key } = request.step;
    const alone = await request.alone;
    const first = alone ? undefined : await deps.usable?.(key);
    if (first) return { there: true, earlier: first };
    const made = await recordOf(request);
    const keys = [made.contentKey, made.key].filter((one) => one !== undefined);
    if (!keys.some(deps.trust.mayReplace)) return { there: false };
    const record = deps.trust.sign(await withAge(made));
    await Promise.all([...record.chain.map(ensureLayer), putBytes(encodeRecord(record, form).config)]);
    const { layer } = record;
    // Layers further down stay where they are; this one the record's own manifest names.
    if (layer && deps.cached && !deps.staged(layer.digest))
      await putOnce(layer.digest, async () => store.put(await deps.cached!(layer), signal));
    if (!record.layer) await putBytes(EMPTY_LAYER_BYTES);
    const stored = keys.filter(deps.trust.mayReplace).map((one) => tagRecord(record, one, alone));
    const earlier = (await Promise.all(stored)).find((other) => other?.key === key);
    return { there: true, ...(earlier ? { earlier } : {}) };
  };

  /** The record once its age is noted down; where the registry takes no notes, one that says itself when it was made. */
  const withAge = async ({ undated, ...dated }: CacheRecord): Promise<CacheRecord> => {
    if (!undated || takesNoNotes) return dated;
    const record = { ...dated, undated };
    try {
      await storeAge(store, record, deps);
      return record;
    } catch (error) {
      // A tag that cannot be replaced: what it says of another record makes this one a miss, as that one is.
      const kept = await store.resolve(ageTag(record.key), signal).catch(() => undefined);
      if (kept) return record;
      if (!refusesManifest(error)) throw error;
      takesNoNotes = true;
      const text = `${store.name} refuses notes on the age of cache records; each says itself when it was made`;
      emit({ type: 'message', level: 'info', text });
      return dated;
    }
  };

  /**
   * Tries the forms of a record until the registry takes one; the others start with that.
   * @returns whether it is stored; not when the tag was there already
   */
  const putRecord = async (record: CacheRecord, key: Digest, replace: boolean): Promise<boolean> => {
    for (;;) {
      const used = form;
      const { manifest, config } = encodeRecord(record, used);
      try {
        await putBytes(config);
        const { ociManifest } = MEDIA_TYPES;
        if (!replace && store.create)
          return (await store.create(manifest, ociManifest, [hexOf(key)], signal)) !== 'exists';
        await store.tag(manifest, ociManifest, hexOf(key), signal);
        return true;
      } catch (error) {
        const next = FORMS[FORMS.indexOf(used) + 1];
        if (next === undefined || !refusesManifest(error)) throw error;
        if (form === used) {
          form = next;
          const text = `${store.name} refuses cache records as they are; they are stored with less in the manifest`;
          emit({ type: 'message', level: 'info', text });
        }
      }
    }
  };

  /** Where a registry knows no conditions: a look, the record, and another look when others have done the same by now. */
  const lookAndPut = async (record: CacheRecord, key: Digest): Promise<CacheRecord | undefined> => {
    const started = performance.now();
    const earlier = await deps.usable?.(key);
    if (earlier) return earlier;
    await putRecord(record, key, true);
    await sleep(Math.min(MOST_SETTLE_MS, SETTLE_MS + 4 * (performance.now() - started)), undefined, {
      signal,
    });
    const last = await deps.usable?.(key);
    const ours = last?.chain.every(({ digest }, i) => digest === record.chain[i]?.digest);
    return ours ? undefined : last;
  };

  /**
   * The first record under a key stays as long as it can be used.
   * A registry with immutable tags keeps the record that it has: worth a warning, once, and no failure.
   */
  const tagRecord = async (
    record: CacheRecord,
    key: Digest,
    alone: boolean,
  ): Promise<CacheRecord | undefined> => {
    const tag = hexOf(key);
    const first = key === record.key && deps.usable !== undefined;
    try {
      if (first && !alone && store.creates?.() !== true) return await lookAndPut(record, key);
      if (await putRecord(record, key, !first)) return undefined;
      const earlier = await deps.usable?.(key);
      if (earlier) return earlier;
      await putRecord(record, key, true);
    } catch (error) {
      const kept = await store.resolve(tag, signal).catch(() => undefined);
      if (!kept) throw error;
      const earlier = first ? await deps.usable?.(key) : undefined;
      if (earlier) return earlier;
      const text = `${store.name} keeps the record that it has under ${tag.slice(0, 12)}: its tags cannot be replaced`;
      const hint = 'a record that is too old or damaged is then built again at every start';
      if (!warnedOfTags) emit({ type: 'warning', code: 'PUSH_FAILED', text, hint });
      warnedOfTags = true;
    }
    return undefined;
  };

  const recordOf = async ({
    stage,
    step,
    pending,
    sources,
    created,
  }: PublishRequest): Promise<CacheRecord> => {
    const { os, architecture, variant } = stage.platform;
    const { chain, made } = await settle(pending);
    const layer = made.endsWith('1') ? chain.at(-1) : undefined;
    const base = baseChainId(deps.plan, stage);
    const parent = await settledChainId(base, { layers: pending.layers.slice(0, -1) });
    return {
      key: step.key,
      contentKey: contentKey(stage.contentScope, parent, await deps.contentDigest(step)),
      base,
      chain,
      made,
      ...(layer ? { layer } : {}),
      sources: await sources,
      created,
      ...(deps.plan.mtime === 'keep' ? {} : { undated: true }),
      fields: step.fields,
      platform: { os, architecture, ...(variant ? { variant } : {}) },
    };
  };

  return {
    publish: (request) => {
      const task = storeRecord(request).catch((error: unknown): Stored => {
        if (signal.aborted) return { there: false };
        const known = toAppError(
          error,
          'PUSH_FAILED',
          `cannot store the layer of "${request.step.text}" in ${store.name}`,
        );
        if (!failure) {
          const hint = known.hint ?? 'the build goes on; its later starts will run this step again';
          emit({ type: 'warning', code: known.code, text: known.message, hint });
        }
        failure ??= known;
        return { there: false };
      });
      tasks.push(task);
      return task;
    },
    done: async () => {
      for (let i = 0; i < tasks.length; i += 1) await tasks[i];
      return failure;
    },
  };
}
