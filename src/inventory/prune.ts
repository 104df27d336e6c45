import { leasedTag } from '../cache/leases.ts';
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
  const leased = new Set(entries.flatMap(({ tags }) => tags.map(leasedTag)));
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
 * Removes the manifests of old records from a repository through its API; layers go when the registry collects its garbage.
 * What others have stored meanwhile is looked at before anything goes.
 * @throws AppError USAGE where the registry deletes nothing; REGISTRY, AUTH
 */
export async function pruneRepository(
  store: Store,
  rules: PruneRules,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<PrunePlan> {
  const { entries } = await readInventory(store, signal);
  const first = planPrune(entries, rules);
  if (dryRun || first.drop.length === 0) return first;
  const known = new Set(entries.flatMap(({ tags }) => tags));
  const fresh = (await store.listTags!(signal)).filter((tag) => !known.has(tag));
  const all = fresh.length === 0 ? entries : [...entries, ...(await readEntries(store, fresh, signal))];
  const plan = planPrune(all, rules);
  for (const { tags, digest } of plan.drop) {
    if (await store.drop?.(tags[0]!, digest, signal)) continue;
    throw new AppError('USAGE', `${store.name} does not delete manifests`, {
      hint: 'turn deletion on in the registry, or remove tags with its own means',
    });
  }
  return plan;
}
