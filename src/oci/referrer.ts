import { digestOf, hexOf } from '../core/digest.ts';
import { bytesSource } from './blob-source.ts';
import { canonicalJson } from './canonical-json.ts';
import { isIndexType, MEDIA_TYPES } from './media-types.ts';
import type { Descriptor, Store } from './types.ts';

/** A document about an image, which lies beside it in a repository. */
export interface Attachment {
  /** What the document is; readers ask for it. */
  readonly artifactType: string;
  readonly content: Buffer;
  /** Of the document's descriptor. */
  readonly annotations: Readonly<Record<string, string>>;
}

const EMPTY = Buffer.from('{}');

/**
 * Stores a document that refers to a manifest (OCI image spec 1.1, "Guidelines for Artifact Usage"), and has it listed
 * among the referrers of that, by the registry, or else under the fallback tag (OCI distribution spec, "Referrers Tag
 * Schema"). The same document is there once.
 * @returns what names it
 * @throws AppError REGISTRY, AUTH
 */
export async function attach(
  store: Store,
  subject: Descriptor,
  { artifactType, content, annotations }: Attachment,
  signal: AbortSignal,
): Promise<Descriptor> {
  await Promise.all([store.put(bytesSource(EMPTY), signal), store.put(bytesSource(content), signal)]);
  const config = { mediaType: MEDIA_TYPES.emptyConfig, digest: digestOf(EMPTY), size: EMPTY.length };
  const layer = { mediaType: artifactType, digest: digestOf(content), size: content.length, annotations };
  const { mediaType, digest, size } = subject;
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType,
    config,
    layers: [layer],
    subject: { mediaType, digest, size },
    annotations,
  });
  const stored = await (store.refer?.(manifest, MEDIA_TYPES.ociManifest, signal) ??
    store
      .tag(manifest, MEDIA_TYPES.ociManifest, undefined, signal)
      .then((descriptor) => ({ descriptor, listed: false })));
  const descriptor = { ...stored.descriptor, artifactType, annotations };
  if (!stored.listed) await listUnderTag(store, subject, descriptor, signal);
  return stored.descriptor;
}

/** Adds a referrer to the index under the fallback tag, where it is not in it. */
async function listUnderTag(
  store: Store,
  subject: Descriptor,
  referrer: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const tag = `sha256-${hexOf(subject.digest)}`;
  const present = await store.resolve(tag, signal);
  const others = present && isIndexType(present.descriptor.mediaType) ? manifestsOf(present.bytes) : [];
  if (others.some(({ digest }) => digest === referrer.digest)) return;
  const index = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [...others, referrer],
  });
  await store.tag(index, MEDIA_TYPES.ociIndex, tag, signal);
}

/** The descriptors of an index as they stand in it, with fields that nobody here knows. */
function manifestsOf(bytes: Buffer): readonly { readonly digest?: unknown }[] {
  const { manifests } = JSON.parse(bytes.toString('utf8')) as { readonly manifests?: unknown };
  return Array.isArray(manifests) ? manifests.filter((one) => one !== null && typeof one === 'object') : [];
}
