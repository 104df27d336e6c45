import { readTraceNotes } from '../builder/misses/trace.ts';
import { readAge, recordIdentity } from '../cache/age.ts';
import { leasedTag, leasedTags } from '../cache/leases.ts';
import { decodeRecord, detachedConfig } from '../cache/record.ts';
import type { CacheRecord } from '../cache/types.ts';
import { mapLimit } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { plainText } from '../core/plain-text.ts';
import { parseManifestDocument } from '../oci/manifest.ts';
import { formatPlatform } from '../oci/platform.ts';
import { readAll } from '../oci/readable.ts';
import type { Descriptor, RawManifest, Store } from '../oci/types.ts';
import type { EntryLayer, Inventory, InventoryEntry, InventoryTotals, RecordFacts } from './types.ts';

/** Manifests that are asked for at once. */
const PARALLEL = 64;
const RECORD_TAG = /^[0-9a-f]{64}$/;
/** As registries that list no referrers have them (OCI distribution spec, "Referrers Tag Schema"). */
const REFERRERS_TAG = /^sha256-[0-9a-f]{64}$/;

/**
 * Reads everything that lies under tags of a repository; what cannot be read is an entry that says why. Images that were
 * only pushed by their digest have no tag, and no registry lists them.
 * @throws AppError USAGE where tags cannot be listed; REGISTRY, AUTH, CORRUPT from the list itself
 */
export async function readInventory(store: Store, signal: AbortSignal): Promise<Inventory> {
  if (!store.listTags) throw new AppError('USAGE', `the tags of ${store.name} cannot be listed`);
  return { name: store.name, entries: await readEntries(store, await store.listTags(signal), signal) };
}

/** The entries under these tags, in the order of their names. */
export async function readEntries(
  store: Store,
  tags: readonly string[],
  signal: AbortSignal,
): Promise<readonly InventoryEntry[]> {
  const steps = await tracedSteps(store, tags, signal);
  const found = await mapLimit([...tags].sort(), PARALLEL, async (tag) => {
    try {
      const raw = await store.resolve(tag, signal);
      return raw && { tag, raw };
    } catch (error) {
      signal.throwIfAborted();
      return { tag, problem: toAppError(error, 'REGISTRY', `cannot read ${tag}`).message };
    }
  });
  const byDigest = new Map<Digest, { readonly raw: RawManifest; readonly tags: string[] }>();
  const entries: InventoryEntry[] = [];
  for (const one of found) {
    if (one === undefined) continue;
    if ('problem' in one) entries.push(unreadable(one.tag, one.problem));
    else {
      const known = byDigest.get(one.raw.descriptor.digest);
      if (known) known.tags.push(one.tag);
      else byDigest.set(one.raw.descriptor.digest, { raw: one.raw, tags: [one.tag] });
    }
  }
  const read = await mapLimit([...byDigest.values()], PARALLEL, ({ raw, tags: names }) =>
    readEntry(store, raw, names, { steps, signal }),
  );
  return [...entries, ...read].sort((a, b) => ((a.tags[0] ?? '') < (b.tags[0] ?? '') ? -1 : 1));
}

type Steps = ReadonlyMap<string, { readonly stage: string; readonly instruction: string }>;

/** Which steps records are of, as far as traces tell. */
async function tracedSteps(store: Store, tags: readonly string[], signal: AbortSignal): Promise<Steps> {
  const notes = tags.filter((tag) => tag.startsWith('trace-'));
  const steps = new Map<string, { stage: string; instruction: string }>();
  for (const trace of await readTraceNotes(store, notes, signal))
    for (const stage of trace.stages)
      for (const { key, text } of stage.steps)
        steps.set(key, { stage: plainText(stage.name), instruction: plainText(text.split('\n')[0] ?? '') });
  return steps;
}

async function readEntry(
  store: Store,
  raw: RawManifest,
  tags: readonly string[],
  { steps, signal }: { readonly steps: Steps; readonly signal: AbortSignal },
): Promise<InventoryEntry> {
  const { digest, mediaType } = raw.descriptor;
  const none = { step: null, problem: null, record: null, leaseOn: null };
  const common = { digest, tags, mediaType, created: null, layers: [], needs: [], ...none };
  const first = tags[0] ?? digest;
  try {
    if (tags.some((tag) => leasedTag(tag) !== undefined))
      return { ...common, kind: 'lease', leaseOn: tags.flatMap((tag) => leasedTags(tag, raw.bytes)) };
    if (RECORD_TAG.test(first)) return await readRecord(store, raw, tags, { steps, signal });
    const document = parseManifestDocument(raw.bytes, first, mediaType);
    if (document.kind === 'index')
      return { ...common, kind: REFERRERS_TAG.test(first) ? 'referrers' : 'image' };
    const { manifest } = document;
    if (manifest.artifactType?.startsWith('application/vnd.dev.envbuilder.'))
      return { ...common, kind: 'note' };
    const layers = manifest.layers.map(({ digest: layer, size }) => ({ digest: layer, size }));
    const created = await createdOf(store, manifest.config, signal);
    return { ...common, kind: 'image', created, layers, needs: layers };
  } catch (error) {
    signal.throwIfAborted();
    return { ...common, kind: 'unreadable', problem: problemOf(error) };
  }
}

async function readRecord(
  store: Store,
  raw: RawManifest,
  tags: readonly string[],
  { steps, signal }: { readonly steps: Steps; readonly signal: AbortSignal },
): Promise<InventoryEntry> {
  const outside = detachedConfig(raw.bytes);
  const config = outside && (await smallBlob(store, outside, signal));
  const record = decodeRecord(raw.bytes, `sha256:${tags[0]!}`, config);
  const facts: RecordFacts = {
    key: record.key,
    contentKey: record.contentKey ?? null,
    base: record.base,
    chain: record.chain,
    platform: formatPlatform(record.platform),
    signedBy: Object.keys(record.signatures ?? {}),
    fields: record.fields,
  };
  const size = ({ digest, size: bytes }: EntryLayer): EntryLayer => ({ digest, size: bytes });
  return {
    kind: 'record',
    digest: raw.descriptor.digest,
    tags,
    mediaType: raw.descriptor.mediaType,
    created: record.undated ? await notedTime(store, record, signal) : record.created,
    layers: record.layer ? [size(record.layer)] : [],
    needs: record.chain.map(size),
    step: steps.get(record.key) ?? null,
    problem: null,
    record: facts,
    leaseOn: null,
  };
}

/** When a record was made that does not say so itself; null when no note on it does. */
async function notedTime(store: Store, record: CacheRecord, signal: AbortSignal): Promise<string | null> {
  const age = await readAge(store, record.key, { signal });
  return age?.record === recordIdentity(record) ? age.created : null;
}

/** When an image says that it was made. */
async function createdOf(store: Store, config: Descriptor, signal: AbortSignal): Promise<string | null> {
  try {
    const { created } = JSON.parse((await smallBlob(store, config, signal)).toString('utf8')) as {
      created?: unknown;
    };
    return typeof created === 'string' && !Number.isNaN(Date.parse(created)) ? plainText(created) : null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

async function smallBlob(
  store: Store,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  signal: AbortSignal,
): Promise<Buffer> {
  const tooLong = () => new AppError('CORRUPT', `the config ${digest} is too long`);
  if (size > LIMITS.recordConfig.most) throw tooLong();
  return readAll(await store.get(digest, undefined, signal), LIMITS.recordConfig.most, tooLong);
}

function unreadable(tag: string, problem: string): InventoryEntry {
  return {
    kind: 'unreadable',
    digest: 'sha256:',
    tags: [tag],
    mediaType: '',
    created: null,
    layers: [],
    needs: [],
    step: null,
    problem: plainText(problem),
    record: null,
    // What a lease is on stays, also where it cannot be read.
    leaseOn: leasedTag(tag) === undefined ? null : [leasedTag(tag)!],
  };
}

const problemOf = (error: unknown): string =>
  plainText(toAppError(error, 'CORRUPT', 'it cannot be read').message);

/** What all entries take together. */
export function totalsOf(entries: readonly InventoryEntry[]): InventoryTotals {
  const sizes = new Map<Digest, number>();
  const users = new Map<Digest, number>();
  for (const { layers } of entries)
    for (const { digest, size } of new Map(layers.map((layer) => [layer.digest, layer])).values()) {
      sizes.set(digest, size);
      users.set(digest, (users.get(digest) ?? 0) + 1);
    }
  const sum = (digests: readonly (readonly [Digest, number])[]): number =>
    digests.reduce((all, [, size]) => all + size, 0);
  return {
    records: entries.filter(({ kind }) => kind === 'record').length,
    images: entries.filter(({ kind }) => kind === 'image').length,
    layers: sizes.size,
    bytes: sum([...sizes]),
    sharedBytes: sum([...sizes].filter(([digest]) => users.get(digest)! > 1)),
  };
}
