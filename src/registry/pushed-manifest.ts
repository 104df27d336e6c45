import * as v from 'valibot';
import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { manifestMediaType, parseJson, validate } from '../oci/manifest.ts';
import { isIndexType } from '../oci/media-types.ts';
import { RegistryError } from './registry-error.ts';

const descriptor = v.object({
  mediaType: v.string(),
  digest: v.custom<ContentDigest>(
    (value) => typeof value === 'string' && isContentDigest(value),
    'not a digest',
  ),
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  urls: v.nullish(v.array(v.string())),
});
const annotations = v.nullish(v.record(v.string(), v.string()));
const head = {
  schemaVersion: v.literal(2),
  artifactType: v.nullish(v.string()),
  annotations,
  subject: v.nullish(descriptor),
};
const MANIFEST = v.object({ ...head, config: descriptor, layers: v.nullish(v.array(descriptor), []) });
const INDEX = v.object({ ...head, manifests: v.nullish(v.array(descriptor), []) });

/** What a registry has to know of a manifest or an index. */
export interface PushedManifest {
  readonly mediaType: string;
  readonly subject?: ContentDigest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Blobs that must be in the repository; those of layers that come from elsewhere are left out. */
  readonly blobs: readonly ManifestPart[];
  /** Manifests that must be in the repository. */
  readonly manifests: readonly ManifestPart[];
}

export interface ManifestPart {
  readonly digest: ContentDigest;
  readonly size: number;
}

/**
 * Reads a manifest or an index of either family.
 * @param contentType what it was sent as, when that is known
 * @throws RegistryError MANIFEST_INVALID
 */
export function parsePushedManifest(bytes: Buffer, contentType?: string): PushedManifest {
  try {
    const mediaType = manifestMediaType(bytes, 'the manifest');
    const given = contentType?.split(';', 1)[0]?.trim().toLowerCase();
    if (given !== undefined && given !== '' && given !== mediaType) {
      throw new RegistryError(400, 'MANIFEST_INVALID', `the manifest is not of the type ${given}`);
    }
    return read(parseJson(bytes, 'the manifest'), mediaType);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new RegistryError(400, 'MANIFEST_INVALID', error.message);
  }
}

/** Reads a stored manifest; undefined when it cannot be read as one. */
export function tryParse(bytes: Buffer): PushedManifest | undefined {
  try {
    return parsePushedManifest(bytes);
  } catch {
    return undefined;
  }
}

function read(value: Record<string, unknown>, mediaType: string): PushedManifest {
  if (isIndexType(mediaType)) {
    const index = validate(INDEX, value, 'the index');
    return { mediaType, ...common(index), blobs: [], manifests: index.manifests ?? [] };
  }
  const manifest = validate(MANIFEST, value, 'the manifest');
  const artifactType = manifest.artifactType || manifest.config.mediaType;
  const own = (manifest.layers ?? []).filter(
    ({ mediaType: type, urls }) => !urls?.length && !/\.(nondistributable|foreign)\./.test(type),
  );
  return { mediaType, ...common(manifest), artifactType, blobs: [manifest.config, ...own], manifests: [] };
}

function common(
  value: v.InferOutput<typeof MANIFEST> | v.InferOutput<typeof INDEX>,
): Pick<PushedManifest, 'subject' | 'artifactType' | 'annotations'> {
  return {
    ...(value.subject ? { subject: value.subject.digest } : {}),
    ...(value.artifactType ? { artifactType: value.artifactType } : {}),
    ...(value.annotations ? { annotations: value.annotations } : {}),
  };
}
