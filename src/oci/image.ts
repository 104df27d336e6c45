import { digestOf } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { hinted } from '../core/hinted.ts';
import { LIMITS } from '../core/limits.ts';
import { againIfCorrupt } from './again.ts';
import { parseImageConfig } from './image-config.ts';
import { parseManifestDocument } from './manifest.ts';
import { isIndexType } from './media-types.ts';
import { formatPlatform, imagesOf, platformMatches, selectPlatform } from './platform.ts';
import { readAll } from './readable.ts';
import { formatReference, tagOrDigest } from './reference.ts';
import type { Descriptor, Image, Index, Manifest, Platform, RawManifest, Reference, Store } from './types.ts';

const MAX_CONFIG = LIMITS.config.most;
const MAX_NESTED_INDEXES = LIMITS.indexes.most;
const DAMAGED_HINT = 'push the image again; where no registry answers, check the address';
/** Images of an index without a platform, each of which has to be fetched to find it out. */
const MAX_UNNAMED = 16;

/**
 * Resolves a reference to the image for one platform: through an index where there is one, down to the verified config.
 * An image that is not in an index is taken whatever its platform is, as Docker does; compare `config.architecture`.
 * @param store the repository of the reference
 * @throws AppError REFERENCE when nothing is there, or nothing for the platform; CORRUPT; REGISTRY; AUTH
 */
export function resolveImage(
  store: Store,
  reference: Reference,
  platform: Platform,
  signal?: AbortSignal,
): Promise<Image> {
  return hinted('CORRUPT', DAMAGED_HINT, () => findImage(store, reference, platform, signal));
}

async function findImage(
  store: Store,
  reference: Reference,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<Image> {
  const name = formatReference(reference);
  const raw = await store.resolve(tagOrDigest(reference), signal);
  if (raw === undefined) {
    throw new AppError('REFERENCE', `there is no image ${reference.familiar} in ${store.name}`, {
      hint: 'check the name and the tag; for a private image, check the credentials as well',
    });
  }
  const found = await imageFor(store, raw, platform, name, 0, signal);
  const configBytes = await readBlob(store, found.parsed.config, MAX_CONFIG, signal);
  const config = parseImageConfig(configBytes, `the config of ${name}`);
  const diffIds = config.rootfs.diff_ids.length;
  if (diffIds !== found.parsed.layers.length) {
    throw new AppError(
      'CORRUPT',
      `${name} has ${found.parsed.layers.length} layers, but its config names ${diffIds}`,
      { hint: 'it is not a container image, or its push went wrong: push it again' },
    );
  }
  return { reference: name, manifest: found.raw, parsed: found.parsed, config, configBytes, store };
}

/**
 * Reads a small blob whole and verifies it. One that is embedded in its descriptor's `data` needs no request.
 * @param limit in bytes; a larger blob is refused
 * @throws AppError CORRUPT, REFERENCE, REGISTRY, AUTH
 */
async function readBlob(
  store: Store,
  descriptor: Descriptor,
  limit: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  const tooLong = () =>
    new AppError('CORRUPT', `the blob ${descriptor.digest} in ${store.name} is larger than ${limit} bytes`);
  if (descriptor.size > limit) throw tooLong();
  const embedded = embeddedData(descriptor);
  if (embedded !== undefined) return embedded;
  const read = async (): Promise<Buffer> => {
    const stream = await store.get(descriptor.digest, undefined, signal);
    return readAll(stream, limit, tooLong).catch((error: unknown) => {
      throw toAppError(error, 'REGISTRY', `cannot read the blob ${descriptor.digest} in ${store.name}`);
    });
  };
  const bytes = await againIfCorrupt(read);
  if (bytes.length === descriptor.size) return bytes;
  throw new AppError(
    'CORRUPT',
    `the blob ${descriptor.digest} in ${store.name} has ${bytes.length} bytes instead of ${descriptor.size}`,
  );
}

/** The bytes that a descriptor embeds (OCI image spec, `data`), when they are those that it describes. */
export function embeddedData({ data, size, digest }: Descriptor): Buffer | undefined {
  if (data === undefined) return undefined;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length === size && digestOf(bytes) === digest ? bytes : undefined;
}

interface Found {
  readonly raw: RawManifest;
  readonly parsed: Manifest;
}

async function imageFor(
  store: Store,
  raw: RawManifest,
  platform: Platform,
  name: string,
  depth: number,
  signal: AbortSignal | undefined,
  said?: Descriptor,
): Promise<Found> {
  const document = parseManifestDocument(raw.bytes, `the manifest of ${name}`, raw.descriptor.mediaType);
  // Others go by what the index says of a document, and read it as that.
  const same = (of: Descriptor): boolean =>
    isIndexType(of.mediaType) === (document.kind === 'index') && of.size === raw.bytes.length;
  if (said && !same(said)) {
    const what = `${said.size} bytes of "${said.mediaType}"`;
    throw new AppError('CORRUPT', `the index of ${name} takes ${said.digest} for ${what}, which it is not`);
  }
  if (document.kind === 'manifest') return { raw, parsed: document.manifest };
  if (depth >= MAX_NESTED_INDEXES)
    throw new AppError('CORRUPT', `the indexes of ${name} are nested too deeply`);
  const load = async (child: Descriptor): Promise<Found> => {
    const next = await store.resolve(child.digest, signal);
    if (next !== undefined) return imageFor(store, next, platform, name, depth + 1, signal, child);
    throw new AppError(
      'REFERENCE',
      `the index of ${name} names ${child.digest}, which is not in ${store.name}`,
    );
  };
  const chosen = selectPlatform(document.index, platform);
  if (chosen !== undefined) return load(chosen);
  const unnamed = imagesOf(document.index).filter((descriptor) => descriptor.platform === undefined);
  for (const candidate of unnamed.slice(0, MAX_UNNAMED)) {
    const found = await load(candidate);
    const config = parseImageConfig(await readBlob(store, found.parsed.config, MAX_CONFIG, signal), name);
    if (platformMatches(config, platform)) return found;
  }
  throw new AppError('REFERENCE', `${name} has no image for ${formatPlatform(platform)}`, {
    hint: `it has ${platformsOf(document.index)}; choose one of them with --platform`,
  });
}

function platformsOf(index: Index): string {
  const names = imagesOf(index)
    .flatMap((descriptor) => descriptor.platform ?? [])
    .map(formatPlatform);
  return names.length === 0 ? 'no images at all' : [...new Set(names)].sort().join(', ');
}
