import { digestOf } from '../core/digest.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Descriptor, Store } from '../oci/types.ts';
import { signatureFields, signaturesIn } from './signature.ts';
import type { Trust } from './trust.ts';
import type { Note, Signatures } from './types.ts';

/*
 * A note is a small text under a tag of the cache's repository, as an OCI artifact without content (OCI image spec,
 * "Guidelines for Artifact Usage"). Notes only save work or explain: a build must do without them.
 */

/** OCI image spec, "Guidance for an Empty Descriptor". */
export const EMPTY_CONFIG = Buffer.from('{}');
const EMPTY: Descriptor = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: digestOf(EMPTY_CONFIG),
  size: EMPTY_CONFIG.length,
};
const PREFIX = 'dev.envbuilder.';
/** Bytes; registries limit a manifest to 4 MiB and some to far less. */
const NOTE_LIMIT = 256 * 1024;

/**
 * The manifest of an artifact of ours. Its config, EMPTY_CONFIG, has to be in the repository.
 *
 * @param kind what stands behind `dev.envbuilder.` in its type
 * @param layers the empty one where an artifact is all in its annotations
 */
export function artifactManifest(
  kind: string,
  annotations: Readonly<Record<string, string>>,
  layers: readonly Descriptor[] = [EMPTY],
): Buffer {
  const mediaType = MEDIA_TYPES.ociManifest;
  const artifactType = `application/vnd.${PREFIX}${kind}`;
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, artifactType, config: EMPTY, layers, annotations }),
  );
}

/** Stores a note under a tag; one that is too long is not stored. @throws what the store throws */
export async function storeNote(
  store: Store,
  note: Note,
  signal: AbortSignal | undefined,
  signatures: Signatures = {},
): Promise<void> {
  if (note.text.length > NOTE_LIMIT) return;
  await store.put(bytesSource(EMPTY_CONFIG), signal);
  const manifest = artifactManifest(note.kind, {
    [PREFIX + note.kind]: note.text,
    ...Object.fromEntries(
      Object.entries(signatureFields(signatures)).map(([name, value]) => [PREFIX + name, value]),
    ),
  });
  await store.tag(manifest, MEDIA_TYPES.ociManifest, note.tag, signal);
}

/** The JSON of a note; undefined when it is not there, cannot be read, or is not trusted where that matters. */
export async function readNote(
  store: Store,
  { kind, tag }: Omit<Note, 'text'>,
  signal: AbortSignal | undefined,
  trust?: Trust,
): Promise<unknown> {
  try {
    const raw = await store.resolve(tag, signal);
    if (!raw) return undefined;
    const { annotations } = JSON.parse(raw.bytes.toString('utf8'));
    const text: string = annotations[PREFIX + kind];
    const { signatures } = signaturesIn(annotations, PREFIX);
    return trust && !trust.acceptsNote({ kind, tag, text }, signatures) ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
