import { createHash } from 'node:crypto';
import { decodeRecord } from '../cache/record.ts';
import { algorithmOf, type ContentDigest, hexOf } from '../core/digest.ts';
import { type Emit, silent } from '../core/events.ts';
import { ifExists, readSmallFile } from '../oci/blob-file.ts';
import { FILE_CHUNK } from '../oci/blob-source.ts';
import type { DirLayout } from '../oci/dir-layout.ts';
import { readLink, removeLink, removeTag } from '../oci/dir-link.ts';
import { isHollow } from '../sys/hollow.ts';
import { isThere, namesPlain, removePlain, statPlain, streamPlainFile } from '../sys/plain.ts';
import { storedSize } from './blobs.ts';
import { repositoriesOf } from './discovery.ts';
import { linkedDigests } from './manifest-files.ts';
import { tryParse } from './pushed-manifest.ts';
import { blobFiles, openStorage } from './storage.ts';

export interface CheckRequest {
  readonly root: string;
  /** Remove what is wrong, so that what is left can be pulled, and what is gone is stored again by whoever has it. */
  readonly repair?: boolean;
  readonly emit?: Emit;
}

export interface CheckResult {
  readonly blobs: number;
  readonly manifests: number;
  /** One line each; all are gone when they were to be repaired. */
  readonly problems: readonly string[];
}

interface Problem {
  readonly text: string;
  readonly remove: () => void;
}

/**
 * Reads every blob and follows every name. Damaged blobs, manifests of which something is missing, and names of what is
 * not there are problems. The directory may be in use.
 * @throws AppError CACHE_DIR when the directory cannot be used or, to repair it, locked
 */
export async function checkRegistry(request: CheckRequest): Promise<CheckResult> {
  const { root, repair = false, emit = silent } = request;
  const storage = openStorage(root, emit);
  const problems: string[] = [];
  const settle = async (find: () => Problem | undefined): Promise<void> => {
    const seen = find();
    if (seen === undefined) return;
    problems.push(seen.text);
    emit({ type: 'warning', code: 'CORRUPT', text: seen.text });
    if (repair) await storage.lock.exclusive(() => find()?.remove());
  };
  let blobs = 0;
  for (const { digest, path } of blobFiles(root)) {
    const stat = ifExists(() => statPlain(path));
    if (stat === undefined) continue;
    blobs += 1;
    if (!isHollow(path, stat) && (await intact(path, digest))) continue;
    await settle(() =>
      ifExists(() => statPlain(path))?.ino === stat.ino
        ? { text: `the blob ${digest} is damaged`, remove: () => removePlain(path) }
        : undefined,
    );
  }
  let manifests = 0;
  for (const repository of repositoriesOf(root)) {
    const layout = storage.layout(repository);
    for (const digest of linkedDigests(layout.layers)) await settle(() => layerProblem(layout, digest));
    // Indexes after what they name, so that one that lost a part is found in the same run.
    const revisions = linkedDigests(layout.revisions);
    const indexes = revisions.filter((digest) => isIndex(layout, digest));
    for (const digest of [...revisions.filter((each) => !indexes.includes(each)), ...indexes])
      await settle(() => revisionProblem(layout, digest));
    manifests += revisions.length;
    for (const tag of ifExists(() => namesPlain(layout.tags)) ?? [])
      await settle(() => tagProblem(layout, tag));
  }
  return { blobs, manifests, problems };
}

function layerProblem(layout: DirLayout, digest: ContentDigest): Problem | undefined {
  if (isThere(layout.blob(digest))) return undefined;
  const text = `${layout.repository} names the blob ${digest}, which is gone`;
  return { text, remove: () => removeLink(layout.layerLink(digest)) };
}

function revisionProblem(layout: DirLayout, digest: ContentDigest): Problem | undefined {
  const missing = firstMissing(layout, digest);
  if (missing === undefined) return undefined;
  const text = `the manifest ${layout.repository}@${digest} lacks ${missing}`;
  return { text, remove: () => removeLink(layout.revisionLink(digest)) };
}

function tagProblem(layout: DirLayout, tag: string): Problem | undefined {
  // What a process that was killed left of a tag that it was making or removing is no tag.
  if (!isThere(layout.tagLink(tag))) return undefined;
  const digest = readLink(layout.tagLink(tag));
  const remove = () => void removeTag(layout, tag);
  const name = `the tag ${layout.repository}:${tag}`;
  if (digest === undefined) return { text: `${name} names nothing`, remove };
  if (!isThere(layout.revisionLink(digest))) {
    return { text: `${name} names ${digest}, which is not there`, remove };
  }
  const missing = missingOfRecord(layout, tag, digest);
  return missing === undefined ? undefined : { text: `the cache record ${name} lacks ${missing}`, remove };
}

function firstMissing(layout: DirLayout, digest: ContentDigest): string | undefined {
  const bytes = ifExists(() => readSmallFile(layout.blob(digest)));
  const parsed = bytes && tryParse(bytes);
  if (parsed === undefined) return 'its own content';
  const lost = (link: (digest: ContentDigest) => string) => (part: { digest: ContentDigest; size: number }) =>
    !isThere(link(part.digest)) || storedSize(layout.blob(part.digest), part.digest) !== part.size;
  const part = parsed.blobs.find(lost(layout.layerLink)) ?? parsed.manifests.find(lost(layout.revisionLink));
  return part?.digest;
}

/** A layer that a cache record names and that is not there. */
function missingOfRecord(layout: DirLayout, tag: string, digest: ContentDigest): string | undefined {
  const bytes = ifExists(() => readSmallFile(layout.blob(digest)));
  if (bytes === undefined || !/^[0-9a-f]{64}$/.test(tag) || !bytes.includes('dev.envbuilder.chain'))
    return undefined;
  try {
    const { chain } = decodeRecord(bytes, `sha256:${tag}`);
    return chain.find((layer) => !isThere(layout.layerLink(layer.digest)))?.digest;
  } catch {
    // A record of another version: builds pass it over as well.
    return undefined;
  }
}

function isIndex(layout: DirLayout, digest: ContentDigest): boolean {
  const bytes = ifExists(() => readSmallFile(layout.blob(digest)));
  return bytes !== undefined && (tryParse(bytes)?.manifests.length ?? 0) > 0;
}

async function intact(path: string, digest: ContentDigest): Promise<boolean> {
  const hash = createHash(algorithmOf(digest));
  for await (const chunk of streamPlainFile(path, { highWaterMark: FILE_CHUNK })) hash.update(chunk);
  return hash.digest('hex') === hexOf(digest);
}
