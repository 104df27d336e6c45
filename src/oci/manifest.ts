import * as v from 'valibot';
import type { Digest } from '../core/digest.ts';
import { isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { isIndexType, isManifestType, MEDIA_TYPES } from './media-types.ts';
import type { Index, Manifest } from './types.ts';

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'not a sha256 digest',
);
const text = v.record(v.string(), v.string());
const platform = v.object({ os: v.string(), architecture: v.string(), variant: v.optional(v.string()) });
const descriptor = v.object({
  mediaType: v.string(),
  digest,
  size,
  annotations: v.nullish(text),
  platform: v.nullish(platform),
  data: v.nullish(v.string()),
});
const head = { schemaVersion: v.literal(2), mediaType: v.optional(v.string()), annotations: v.nullish(text) };
const manifestSchema = v.object({
  ...head,
  artifactType: v.nullish(v.string()),
  config: descriptor,
  layers: v.nullish(v.pipe(v.array(descriptor), v.maxLength(LIMITS.layers.most)), []),
  subject: v.nullish(descriptor),
});
const indexSchema = v.object({ ...head, manifests: v.nullish(v.array(descriptor), []) });

/** A parsed document under a tag or digest: an image's manifest, or an index of manifests. */
export type ManifestDocument =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index };

/**
 * Parses and validates an image manifest or an index of either family. Fields that are null or unknown are dropped.
 * @param what names the document in errors
 * @param mediaType as the registry gave it; the document's own wins only where they agree
 * @throws AppError CORRUPT when the document is malformed, or could be read as two different things (CVE-2021-41190)
 */
export function parseManifestDocument(bytes: Uint8Array, what: string, mediaType?: string): ManifestDocument {
  const value = parseJson(bytes, what);
  const type = documentType(value, what, mediaType);
  if (isIndexType(type)) {
    const index = validate(indexSchema, value, what);
    return { kind: 'index', index: { ...withoutNulls(index), mediaType: type } as Index };
  }
  const manifest = validate(manifestSchema, value, what);
  return { kind: 'manifest', manifest: { ...withoutNulls(manifest), mediaType: type } as Manifest };
}

/** The media type of a manifest or index by its content. @throws AppError CORRUPT */
export function manifestMediaType(bytes: Uint8Array, what: string): string {
  return documentType(parseJson(bytes, what), what, undefined);
}

/** Parses JSON that must be an object. @throws AppError CORRUPT */
export function parseJson(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw new AppError('CORRUPT', `${what} is not JSON`, { cause: error });
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new AppError('CORRUPT', `${what} is not a JSON object`);
}

/** Validates with valibot; the error names the first wrong field. @throws AppError CORRUPT */
export function validate<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new AppError(
    'CORRUPT',
    `${what} is malformed at "${v.getDotPath(issue) ?? ''}": ${issue.message.slice(0, 200)}`,
  );
}

/** A copy without the fields that are null or undefined, at any depth. */
export function withoutNulls(value: unknown): object {
  return strip(value) as object;
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(fields.map(([name, item]) => [name, strip(item)]));
}

function documentType(value: Record<string, unknown>, what: string, given: string | undefined): string {
  const { schemaVersion, mediaType: own } = value;
  const hasManifests = 'manifests' in value;
  if (schemaVersion === 1) {
    throw new AppError('CORRUPT', `${what} is in Docker's obsolete schema 1`, {
      hint: 'pull the image with a current Docker and push it again',
    });
  }
  if (hasManifests && ('layers' in value || 'config' in value)) {
    throw new AppError('CORRUPT', `${what} claims to be a manifest and an index at once`);
  }
  const known = [own, given].filter(
    (type): type is string => typeof type === 'string' && (isIndexType(type) || isManifestType(type)),
  );
  const type =
    known[0] ??
    (hasManifests ? MEDIA_TYPES.ociIndex : 'config' in value ? MEDIA_TYPES.ociManifest : undefined);
  if (
    type === undefined ||
    isIndexType(type) !== hasManifests ||
    (known[1] !== undefined && known[1] !== type)
  ) {
    const shown = String(given ?? own ?? 'an unknown media type').slice(0, 100);
    throw new AppError(
      'CORRUPT',
      `${what} is not the image manifest or index that its media type says (${shown})`,
    );
  }
  return type;
}
