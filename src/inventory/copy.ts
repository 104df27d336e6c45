import { ageTag } from '../cache/age.ts';
import { mapLimit } from '../core/concurrency.ts';
import { copyBlob } from '../oci/copy.ts';
import { parseManifestDocument } from '../oci/manifest.ts';
import type { Descriptor, RawManifest, Store } from '../oci/types.ts';
import type { InventoryEntry } from './types.ts';

const PARALLEL = 4;
/** How deep indexes may lie in each other. */
const MOST_LEVELS = 4;

/** What was copied. */
export interface CopyResult {
  readonly entries: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** The chosen entries, before them the notes that say how old their records are: nobody takes an undated record without. */
export function withNotes(
  all: readonly InventoryEntry[],
  chosen: readonly InventoryEntry[],
): readonly InventoryEntry[] {
  const wanted = new Set(chosen.flatMap(({ record }) => (record ? [ageTag(record.key)] : [])));
  const notes = all.filter((one) => !chosen.includes(one) && one.tags.some((tag) => wanted.has(tag)));
  return [...notes, ...chosen];
}

/**
 * Copies entries with all that they need; what is there already is not copied. A tag is written when everything behind it is
 * there, so that a copy that is interrupted leaves nothing half, and another one goes on.
 * @throws AppError as Store.get, Store.put and Store.tag do
 */
export async function copyEntries(
  from: Store,
  to: Store,
  entries: readonly InventoryEntry[],
  signal: AbortSignal,
): Promise<CopyResult> {
  let [blobs, bytes, copied] = [0, 0, 0];
  const onBlob = (size: number): void => {
    blobs += 1;
    bytes += size;
  };
  const options = { signal, onBlob };
  for (const { kind, digest, tags, needs } of entries) {
    if (kind === 'lease' || kind === 'unreadable') continue;
    const raw = await from.resolve(digest, signal);
    if (!raw) continue;
    await copyBlobs(from, to, needs, options);
    await copyImage(from, to, raw, { ...options, tags });
    copied += 1;
  }
  return { entries: copied, blobs, bytes };
}

/** How an image is copied. */
export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Its names; none, where it is known by its digest alone. */
  readonly tags?: readonly string[];
  /** The source's repository, where both stores are repositories of one registry. */
  readonly mountFrom?: string;
  /** Told the size of each blob that was not there. */
  readonly onBlob?: (size: number) => void;
}

/**
 * Copies an image or an index with all that lies behind it, which is there before its names are.
 * @throws AppError as Store.get, Store.put and Store.tag do
 */
export async function copyImage(
  from: Store,
  to: Store,
  raw: RawManifest,
  { tags = [], ...options }: CopyOptions,
  level = 0,
): Promise<void> {
  const { signal } = options;
  const { digest, mediaType } = raw.descriptor;
  const document = parseManifestDocument(raw.bytes, digest, mediaType);
  if (document.kind === 'manifest') {
    const { config, layers } = document.manifest;
    const blobs = new Map([config, ...layers].map((one) => [one.digest, one]));
    await copyBlobs(from, to, [...blobs.values()], options);
  } else if (level < MOST_LEVELS)
    for (const child of document.index.manifests) {
      const found = await from.resolve(child.digest, signal);
      if (found) await copyImage(from, to, found, options, level + 1);
    }
  if (tags.length === 0) await to.tag(raw.bytes, mediaType, undefined, signal);
  for (const tag of tags) await to.tag(raw.bytes, mediaType, tag, signal);
}

async function copyBlobs(
  from: Store,
  to: Store,
  descriptors: readonly Pick<Descriptor, 'digest' | 'size'>[],
  { signal, mountFrom, onBlob }: CopyOptions,
): Promise<void> {
  await mapLimit(descriptors, PARALLEL, async ({ digest, size }) => {
    const blob = { mediaType: 'application/octet-stream', digest, size };
    const options = { signal, ...(mountFrom === undefined ? {} : { mountFrom }) };
    if ((await copyBlob(from, to, blob, options)) !== 'exists') onBlob?.(size);
  });
}
