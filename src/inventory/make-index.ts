import { setTimeout as pause } from 'node:timers/promises';
import { mapLimit } from '../core/concurrency.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { resolveImage } from '../oci/image.ts';
import { parseManifestDocument } from '../oci/manifest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { defaultPlatform, formatPlatform, imagesOf, normalizePlatform } from '../oci/platform.ts';
import { parseReference, tagOrDigest } from '../oci/reference.ts';
import type { Descriptor, Index, RawManifest, Reference, Store } from '../oci/types.ts';
import { copyImage } from './copy.ts';

export interface IndexOfImages {
  /** Images, or indexes of images, in the order that the index will have. */
  readonly images: readonly string[];
  /** What the index is called, in one repository or in several. */
  readonly tags: readonly string[];
  /** Milliseconds to wait for images that are not there yet. */
  readonly waitMs: number;
}

export interface IndexDeps {
  readonly open: (reference: Reference) => Store;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** The clock, in milliseconds, and how to let it go on. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

interface Found {
  readonly name: string;
  readonly reference: Reference;
  readonly store: Store;
  readonly raw: RawManifest;
}

const PARALLEL = 4;
/** Milliseconds between two looks at a registry. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

/**
 * Makes an index of images that are there, and gives it its names. What a repository lacks is copied there first; the same
 * images give the same index, and a name that stands for it already is not written again.
 * @returns the digest of the index
 * @throws AppError REFERENCE when an image is not there by then; USAGE for two of one platform; REGISTRY, AUTH, CORRUPT
 */
export async function makeIndex(request: IndexOfImages, deps: IndexDeps): Promise<Digest> {
  const { open, signal } = deps;
  const found = await findAll(request, deps);
  const entries = (await mapLimit(found, PARALLEL, (one) => entriesOf(one, signal))).flat();
  const manifests = [...new Map(entries.map((entry) => [entry.digest, entry])).values()];
  checkPlatforms({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
  const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
  const bytes = Buffer.from(JSON.stringify(index));
  const digest = digestOf(bytes);
  for (const name of request.tags) {
    const reference = parseReference(name);
    const to = open(reference);
    const tag = reference.tag ?? 'latest';
    if ((await to.resolve(tag, signal))?.descriptor.digest === digest) continue;
    for (const { store, raw, reference: from } of found) {
      if (store.name === to.name) continue;
      const mountFrom = from.registry === reference.registry ? from.repository : undefined;
      await copyImage(store, to, raw, { signal, ...(mountFrom === undefined ? {} : { mountFrom }) });
    }
    await to.tag(bytes, MEDIA_TYPES.ociIndex, tag, signal);
  }
  return digest;
}

/** All images, as soon as they are there. */
async function findAll(
  { images, waitMs }: IndexOfImages,
  { open, emit, signal, now = Date.now, sleep = (ms) => pause(ms, undefined, { signal }) }: IndexDeps,
): Promise<readonly Found[]> {
  const wanted = images.map((name) => {
    const reference = parseReference(name);
    return { name, reference, store: open(reference) };
  });
  const found = new Map<string, Found>();
  const end = now() + waitMs;
  for (let ms = FIRST_PAUSE; ; ms = Math.min(2 * ms, LONGEST_PAUSE)) {
    await mapLimit(
      wanted.filter(({ name }) => !found.has(name)),
      PARALLEL,
      async (one) => {
        const raw = await one.store.resolve(tagOrDigest(one.reference), signal);
        if (raw) found.set(one.name, { ...one, raw });
      },
    );
    const missing = wanted.filter(({ name }) => !found.has(name));
    if (missing.length === 0) return wanted.map(({ name }) => found.get(name)!);
    const names = missing.map(({ reference }) => reference.familiar).join(', ');
    if (now() >= end)
      throw new AppError(
        'REFERENCE',
        `there is no image ${names}${waitMs > 0 ? ' after all that time' : ''}`,
        {
          hint: 'check that it was pushed under this name, or let --wait say how long it may take',
        },
      );
    if (ms === FIRST_PAUSE) emit({ type: 'message', level: 'info', text: `waiting for ${names}` });
    await sleep(Math.min(ms, Math.max(1, end - now())));
  }
}

/** What an index says of an image: its descriptor with its platform. Of an index its own entries. */
async function entriesOf(
  { name, reference, store, raw }: Found,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const { bytes, descriptor } = raw;
  const document = parseManifestDocument(bytes, `the manifest of ${name}`, descriptor.mediaType);
  if (document.kind === 'index') return document.index.manifests;
  const { tag: _, ...rest } = reference;
  const exactly = { ...rest, digest: descriptor.digest };
  // An image that is in no index is taken whatever its platform is.
  const { config } = await resolveImage(store, exactly, defaultPlatform(), signal);
  const { os, architecture, variant } = config;
  const platform = normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
  const { mediaType, digest, size } = descriptor;
  return [{ mediaType, digest, size, platform }];
}

function checkPlatforms(index: Index): void {
  const seen = new Set<string>();
  for (const { platform } of imagesOf(index)) {
    if (platform === undefined) continue;
    const text = formatPlatform(normalizePlatform(platform));
    if (seen.has(text))
      throw new AppError('USAGE', `two of the images are for ${text}`, {
        hint: 'an index has one image for a platform; leave the other one out',
      });
    seen.add(text);
  }
}
