import { setImmediate as breathe } from 'node:timers/promises';
import { EMPTY_LAYER } from '../cache/empty-layer.ts';
import { leasedTag } from '../cache/leases.ts';
import type { ContentDigest } from '../core/digest.ts';
import { fileSize, ifExists, readSmallFile } from '../oci/blob-file.ts';
import { digestsIn } from '../oci/dir-keep.ts';
import type { DirLayout } from '../oci/dir-layout.ts';
import { readLink } from '../oci/dir-link.ts';
import { isThere } from '../sys/plain.ts';
import { repositoriesOf } from './discovery.ts';
import { createManifestFiles } from './manifest-files.ts';
import { tryParse } from './pushed-manifest.ts';
import { usedAt } from './storage.ts';
import type { Storage } from './types.ts';

/** What decides what is kept. */
export interface KeepRules {
  /** Tags that were used before are dropped, in milliseconds since the epoch; leases by the cutoff. */
  readonly usedSince?: number;
  /** The tags used last are kept as long as what they reach has no more bytes. */
  readonly maxBytes?: number;
  /** What was used since is kept, whether anything reaches it or not. */
  readonly cutoff: number;
}

export interface TagState {
  readonly repository: string;
  readonly tag: string;
  readonly digest: ContentDigest;
  readonly usedAt: number;
}

/** What is to be kept, as seen at one time; what is used later is found by its time. */
export interface Survey {
  readonly repositories: readonly string[];
  readonly dropped: readonly TagState[];
  readonly keptTags: number;
  /** What each repository's tags, recent manifests and their referrers reach. */
  readonly reached: ReadonlyMap<string, ReadonlySet<ContentDigest>>;
  readonly reachedBytes: number;
}

const BATCH = 100;
const MANIFEST_AND_CONFIG = 2;
/** Records are under their keys. */
const RECORD_TAG = /^[0-9a-f]{64}$/;
/** What ageTag puts before a key. */
const AGE_TAG = /^age-(?=[0-9a-f]{64}$)/;
const RECORD_IN_CONFIG = '"dev.envbuilder.record":"config"';
const MAX_CONFIG = 1024 * 1024;

/** Finds what is reached from tags, the most recently used first, from recent manifests, and by referrers. */
export async function survey(storage: Storage, rules: KeepRules): Promise<Survey> {
  const files = createManifestFiles(storage);
  const repositories = repositoriesOf(storage.root);
  const reached = new Map(repositories.map((name) => [name, new Set<ContentDigest>()]));
  const counted = new Set<ContentDigest>();
  const tags = repositories
    .flatMap((repository) => tagsOf(storage.layout(repository), files.tags(repository) ?? []))
    .sort((a, b) => b.usedAt - a.usedAt);
  const left: TagState[] = [];
  const dropped: TagState[] = [];
  const kept = new Set<string>();
  let bytes = 0;
  let full = false;

  const sizeOf = (layout: DirLayout, found: ReadonlySet<ContentDigest>): number =>
    [...found]
      .filter((digest) => !counted.has(digest))
      .reduce((sum, digest) => sum + (fileSize(layout.blob(digest)) ?? 0), 0);
  const keep = (repository: string, found: ReadonlySet<ContentDigest>, size: number): void => {
    for (const digest of found) {
      reached.get(repository)!.add(digest);
      counted.add(digest);
    }
    bytes += size;
  };

  const look = ({ repository, digest }: TagState) => {
    const layout = storage.layout(repository);
    const found = reachedFrom(layout, digest, reached.get(repository)!);
    const size = sizeOf(layout, found);
    return { layout, found, size, fits: rules.maxBytes === undefined || bytes + size <= rules.maxBytes };
  };
  const keepTag = (tag: TagState, { found, size }: ReturnType<typeof look>): void => {
    keep(tag.repository, found, size);
    kept.add(nameOf(tag));
  };

  for (const [i, tag] of tags.entries()) {
    if (i % BATCH === 0) await breathe();
    const looked = look(tag);
    const { layout, found, fits } = looked;
    full ||= !fits;
    const since = leasedTag(tag.tag) === undefined ? (rules.usedSince ?? 0) : rules.cutoff;
    if ((!full && tag.usedAt >= since) || (fits && RECORD_TAG.test(tag.tag) && bringsNoLayer(layout, found)))
      keepTag(tag, looked);
    else left.push(tag);
  }
  for (const [i, tag] of left.entries()) {
    if (i % BATCH === 0) await breathe();
    // A note on the age of a record is as much in use as that.
    const isOfKept = AGE_TAG.test(tag.tag) && kept.has(nameOf({ ...tag, tag: tag.tag.replace(AGE_TAG, '') }));
    const looked = isOfKept ? look(tag) : undefined;
    if (looked?.fits) keepTag(tag, looked);
    else dropped.push(tag);
  }
  for (const repository of repositories) {
    await breathe();
    const layout = storage.layout(repository);
    const known = reached.get(repository)!;
    const others = new Set(files.revisions(repository).filter((digest) => !known.has(digest)));
    const keepRevision = (digest: ContentDigest): void => {
      const found = reachedFrom(layout, digest, known);
      keep(repository, found, sizeOf(layout, found));
      others.delete(digest);
    };
    for (const digest of others) {
      if ((usedAt(layout.revisionLink(digest)) ?? 0) >= rules.cutoff) keepRevision(digest);
    }
    for (let before = -1; before !== others.size; ) {
      before = others.size;
      for (const digest of others) {
        const subject = subjectOf(layout, digest);
        if (subject !== undefined && known.has(subject)) keepRevision(digest);
      }
    }
  }
  return { repositories, dropped, keptTags: tags.length - dropped.length, reached, reachedBytes: bytes };
}

const nameOf = ({ repository, tag }: TagState): string => `${repository} ${tag}`;

/**
 * Whether a record has all of its layers in common with what is kept: one that was used lies on it, and is all that is read
 * as long as everything is found (decision 108), but after a change the one below is what the next build goes on from.
 * @param found what is not reached otherwise; digests that are no blob's are among it
 */
function bringsNoLayer(layout: DirLayout, found: ReadonlySet<ContentDigest>): boolean {
  const blobs = [...found].filter(
    (digest) => digest !== EMPTY_LAYER.digest && fileSize(layout.blob(digest)) !== undefined,
  );
  return blobs.length <= MANIFEST_AND_CONFIG;
}

function tagsOf(layout: DirLayout, names: readonly string[]): readonly TagState[] {
  return names.flatMap((tag) => {
    const digest = readLink(layout.tagLink(tag));
    const time = usedAt(layout.tagLink(tag));
    return digest === undefined || time === undefined
      ? []
      : [{ repository: layout.repository, tag, digest, usedAt: time }];
  });
}

/** A manifest, all that it names, and what the manifests among that name; without what is known already. */
function reachedFrom(
  layout: DirLayout,
  start: ContentDigest,
  known: ReadonlySet<ContentDigest>,
): ReadonlySet<ContentDigest> {
  const found = new Set<ContentDigest>();
  const visit = (digest: ContentDigest): void => {
    if (known.has(digest) || found.has(digest)) return;
    found.add(digest);
    if (!isThere(layout.revisionLink(digest))) return;
    const bytes = ifExists(() => readSmallFile(layout.blob(digest)));
    for (const next of bytes ? digestsIn(bytes) : []) {
      visit(next);
      if (bytes?.includes(RECORD_IN_CONFIG)) for (const deep of digestsInConfig(layout, next)) visit(deep);
    }
  };
  visit(start);
  return found;
}

/** The layers that a cache record names in its config instead of its manifest. */
function digestsInConfig(layout: DirLayout, digest: ContentDigest): readonly ContentDigest[] {
  const path = layout.blob(digest);
  if ((fileSize(path) ?? MAX_CONFIG) >= MAX_CONFIG) return [];
  const bytes = ifExists(() => readSmallFile(path));
  return bytes?.includes('dev.envbuilder.record') ? digestsIn(bytes) : [];
}

function subjectOf(layout: DirLayout, digest: ContentDigest): ContentDigest | undefined {
  const bytes = ifExists(() => readSmallFile(layout.blob(digest)));
  return bytes && tryParse(bytes)?.subject;
}
