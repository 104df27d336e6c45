import { readTraceNotes } from '../builder/misses/trace.ts';
import { readAge } from '../cache/age.ts';
import { mapLimit } from '../core/concurrency.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Store } from '../oci/types.ts';
import { readEntries, readInventory, totalsOf } from './read.ts';
import type { InventoryEntry } from './types.ts';

export interface PruneRules {
  /** Records that are older are dropped. */
  readonly olderThanMs?: number;
  /** The oldest records are dropped until the layers of the rest have no more bytes. */
  readonly maxBytes?: number;
  readonly now: number;
}

/** What a repository loses, with the notes that nothing is left for. */
export interface Pruned extends PrunePlan {
  readonly notes: readonly InventoryEntry[];
}

/** What a repository loses. */
export interface PrunePlan {
  readonly drop: readonly InventoryEntry[];
  /** Old enough, but kept, since a newer record, an image or a lease needs them. */
  readonly needed: readonly InventoryEntry[];
  /** Of layers that nothing that is kept needs. */
  readonly freedBytes: number;
}

/**
 * Which records of a repository can go. A record stays whose layer is in the chain of one that stays: registries delete
 * layers that no manifest names, and a chain is in an annotation. Images stay, and so does what somebody has a lease on.
 */
export function planPrune(entries: readonly InventoryEntry[], rules: PruneRules): PrunePlan {
  const leased = new Set(entries.flatMap(({ leaseOn }) => leaseOn ?? []));
  const isHeld = ({ tags, record }: InventoryEntry): boolean =>
    tags.some((tag) => leased.has(tag)) || (record !== null && leased.has(hexOf(record.key)));
  const records = entries
    .filter(({ kind, created }) => kind === 'record' && created !== null)
    .sort((a, b) => Date.parse(b.created!) - Date.parse(a.created!));
  const old = records.filter((entry) => !isHeld(entry) && isOld(entry, rules));
  let dropped = new Set(old);
  if (rules.maxBytes !== undefined)
    for (const entry of [...records].reverse()) {
      if (totalsOf(entries.filter((one) => !dropped.has(one))).bytes <= rules.maxBytes) break;
      if (!isHeld(entry)) dropped.add(entry);
    }
  const wanted = dropped;
  for (;;) {
    const needs = new Set<Digest>();
    for (const one of entries) if (!dropped.has(one)) for (const { digest } of one.needs) needs.add(digest);
    const brought = new Set<Digest>();
    for (const one of entries)
      if (!dropped.has(one)) for (const { digest } of one.layers) brought.add(digest);
    const back = [...dropped].filter(({ layers }) =>
      layers.some(({ digest }) => needs.has(digest) && !brought.has(digest)),
    );
    if (back.length === 0) break;
    dropped = new Set([...dropped].filter((one) => !back.includes(one)));
  }
  const kept = entries.filter((one) => !dropped.has(one));
  return {
    drop: [...dropped],
    needed: [...wanted].filter((one) => !dropped.has(one)),
    freedBytes: totalsOf(entries).bytes - totalsOf(kept).bytes,
  };
}

function isOld({ created }: InventoryEntry, { olderThanMs, now }: PruneRules): boolean {
  return olderThanMs !== undefined && now - Date.parse(created!) > olderThanMs;
}

/**
 * Removes the manifests of old records from a repository through its API, and of the notes on records that are gone; layers go
 * when the registry collects its garbage. What others have stored meanwhile is looked at before anything goes.
 * @throws AppError USAGE where the registry deletes nothing; REGISTRY, AUTH
 */
export async function pruneRepository(
  store: Store,
  rules: PruneRules,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Pruned> {
  const { entries } = await readInventory(store, signal);
  const withNotes = async (all: readonly InventoryEntry[]): Promise<Pruned> => {
    const planned = planPrune(all, rules);
    return { ...planned, notes: await lostNotes(store, all, planned.drop, { rules, signal }) };
  };
  const first = await withNotes(entries);
  if (dryRun || first.drop.length + first.notes.length === 0) return first;
  const known = new Set(entries.flatMap(({ tags }) => tags));
  const fresh = (await store.listTags!(signal)).filter((tag) => !known.has(tag));
  const all = fresh.length === 0 ? entries : [...entries, ...(await readEntries(store, fresh, signal))];
  const plan = await withNotes(all);
  for (const { tags, digest } of [...plan.drop, ...plan.notes]) {
    if (await store.drop?.(tags[0]!, digest, signal)) continue;
    throw new AppError('USAGE', `${store.name} does not delete manifests`, {
      hint: 'turn deletion on in the registry, or remove tags with its own means',
    });
  }
  return plan;
}

/** A build writes a note before its record: one that is younger may be on its way. */
const GRACE_MS = 2 * 3_600_000;
/** Notes that are asked for at once. */
const PARALLEL = 64;
/** As ageTag makes them. */
const AGE_TAG = /^age-([0-9a-f]{64})$/;

/**
 * The notes that say how old records are which are not there any more, and the traces of builds of which no record is left.
 * What cannot be read stays, as it may be a later version's.
 */
async function lostNotes(
  store: Store,
  entries: readonly InventoryEntry[],
  drop: readonly InventoryEntry[],
  { rules, signal }: { readonly rules: PruneRules; readonly signal: AbortSignal },
): Promise<readonly InventoryEntry[]> {
  const dropped = new Set(drop);
  const kept = new Set<string>();
  const pruned = new Set<string>();
  for (const entry of entries)
    for (const tag of [
      ...entry.tags,
      ...(entry.leaseOn ?? []),
      ...(entry.record ? [hexOf(entry.record.key)] : []),
    ])
      (dropped.has(entry) ? pruned : kept).add(tag);
  const isThere = (record: string): boolean => kept.has(record);
  const isOldTime = (time: string | undefined): boolean =>
    time !== undefined && rules.now - Date.parse(time) > Math.max(rules.olderThanMs ?? 0, GRACE_MS);
  const isLost = async (tag: string): Promise<boolean> => {
    const [, record] = AGE_TAG.exec(tag) ?? [];
    if (record !== undefined) {
      if (isThere(record)) return false;
      return pruned.has(record) || isOldTime((await readAge(store, `sha256:${record}`, { signal }))?.created);
    }
    if (!tag.startsWith('trace-')) return false;
    const [trace] = await readTraceNotes(store, [tag], signal);
    const keys = trace?.stages.flatMap(({ steps }) => steps.map(({ key }) => key.replace('sha256:', '')));
    return keys !== undefined && !keys.some(isThere) && isOldTime(trace?.at);
  };
  const notes = entries.filter(({ kind }) => kind === 'note');
  const lost = await mapLimit(notes, PARALLEL, async ({ tags }) => {
    for (const tag of tags) if (!(await isLost(tag))) return false;
    return true;
  });
  return notes.filter((_, index) => lost[index]);
}
