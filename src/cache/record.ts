import { isUtf8 } from 'node:buffer';
import * as v from 'valibot';
import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { TOC_VERSION } from '../layer/toc.ts';
import { isLayerType, MEDIA_TYPES } from '../oci/media-types.ts';
import { EMPTY_LAYER } from './empty-layer.ts';
import { signatureFields, signaturesIn } from './signature.ts';
import { type CacheRecord, type LayerRef, UNDATED } from './types.ts';

const PREFIX = 'dev.envbuilder.';
const RECORD_SCHEMA = '1';
/** Where a config holds the record's fields. */
const IN_CONFIG = `${PREFIX}record`;
const UNTYPED = 'application/octet-stream';

const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'not a sha256 digest',
);
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * A layer in a chain, short since 30 of them must fit into about 10 KB: media type, digest, size, diffID, and of the TOC
 * offset, length, digest and version. One without a version is of the first, which is not read any more: the layer is read
 * as a stream.
 */
const layerType = v.pipe(v.string(), v.check(isLayerType, 'not a media type of layers'));
const CHAIN = v.pipe(
  v.array(
    v.union([
      v.strictTuple([layerType, digest, count, digest]),
      v.strictTuple([layerType, digest, count, digest, count, count, digest]),
      v.strictTuple([layerType, digest, count, digest, count, count, digest, v.literal(TOC_VERSION)]),
    ]),
  ),
  v.maxLength(LIMITS.layers.most),
);
const STRINGS = v.record(v.string(), v.string());

const RECORD = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.literal(MEDIA_TYPES.ociManifest),
  // What is an index as well is one to whoever looks at that first.
  manifests: v.optional(v.never()),
  config: v.object({ digest, size: count, data: v.optional(v.string()) }),
  layers: v.strictTuple([v.object({ mediaType: v.string(), digest, size: count })]),
  annotations: STRINGS,
});

const CONFIG = v.object({
  os: v.string(),
  architecture: v.string(),
  variant: v.optional(v.string()),
  rootfs: v.object({ diff_ids: v.strictTuple([digest]) }),
});

/** A record as it is stored: the manifest's exact bytes, and the config that it names. */
export interface EncodedRecord {
  readonly manifest: Buffer;
  readonly config: Buffer;
}

/**
 * How a record is written. `full`: all is in annotations and the config is embedded, so one GET is the whole record.
 * `lean`, for registries that limit annotations or refuse embedded data: all is in the config, which takes one more GET.
 * `opaque`, for those that do not know the layer's media type either: its layer is untyped.
 */
export type RecordForm = 'full' | 'lean' | 'opaque';

/** A record as an OCI image manifest with one layer, so that any runtime can pull it (unless it is opaque). */
export function encodeRecord(record: CacheRecord, form: RecordForm = 'full'): EncodedRecord {
  const layer = record.layer ?? EMPTY_LAYER;
  const fields = fieldsOf(record);
  const { created } = fields;
  const short = { schema: RECORD_SCHEMA, key: record.key, record: 'config' };
  const config = Buffer.from(
    JSON.stringify({
      created,
      architecture: record.platform.architecture,
      os: record.platform.os,
      ...(record.platform.variant ? { variant: record.platform.variant } : {}),
      config: {},
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created, created_by: 'envbuilder cache record' }],
      ...(form === 'full' ? {} : { [IN_CONFIG]: fields }),
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: {
      mediaType: MEDIA_TYPES.ociConfig,
      digest: digestOf(config),
      size: config.length,
      ...(form === 'full' ? { data: config.toString('base64') } : {}),
    },
    layers: [
      {
        mediaType: form === 'opaque' ? UNTYPED : layer.mediaType,
        digest: layer.digest,
        size: layer.size,
      },
    ],
    annotations: Object.fromEntries(
      Object.entries(form === 'full' ? fields : short).map(([name, value]) => [PREFIX + name, value]),
    ),
  };
  return { manifest: Buffer.from(JSON.stringify(manifest)), config };
}

/** The config that has to be fetched before a record can be read; undefined when the manifest is all there is. */
export function detachedConfig(
  bytes: Buffer,
): { readonly digest: Digest; readonly size: number } | undefined {
  try {
    const { config, annotations } = v.parse(RECORD, parseJson(bytes));
    if (annotations[`${PREFIX}record`] !== 'config' || config.data !== undefined) return undefined;
    return { digest: config.digest, size: config.size };
  } catch {
    // Whatever it is, decodeRecord says what is wrong with it.
    return undefined;
  }
}

/**
 * Reads a record back.
 * @param tag the key or content key under which it was found
 * @param detached the config that detachedConfig names
 * @throws AppError CORRUPT when anything in it does not fit; the caller treats that as a miss
 */
export function decodeRecord(bytes: Buffer, tag: Digest, detached?: Buffer): CacheRecord {
  try {
    return decode(bytes, tag, detached);
  } catch (cause) {
    throw new AppError('CORRUPT', `the cache record ${tag.slice(7, 19)} cannot be read: ${reason(cause)}`, {
      cause,
    });
  }
}

function parseJson(bytes: Buffer, most = LIMITS.manifest.most): unknown {
  if (bytes.length > most) throw new Error(`it has ${bytes.length} bytes`);
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8');
  return JSON.parse(bytes.toString('utf8'));
}

function decode(bytes: Buffer, tag: Digest, detached: Buffer | undefined): CacheRecord {
  const manifest = v.parse(RECORD, parseJson(bytes));
  const config = manifest.config.data === undefined ? detached : Buffer.from(manifest.config.data, 'base64');
  if (config === undefined) throw new Error('its config is missing');
  if (digestOf(config) !== manifest.config.digest) throw new Error('its config does not match its digest');
  const parsedConfig = parseJson(config, LIMITS.recordConfig.most) as Record<string, unknown>;
  const inConfig = manifest.annotations[`${PREFIX}record`] === 'config';
  const fields = inConfig ? v.parse(STRINGS, parsedConfig[IN_CONFIG]) : undefined;
  const get = (name: string): string | undefined =>
    fields === undefined ? manifest.annotations[PREFIX + name] : fields[name];
  if (get('schema') !== RECORD_SCHEMA) throw new Error(`schema ${get('schema')} is not known`);
  const key = v.parse(digest, get('key'));
  const contentKey = get('content-key');
  if (key !== tag && contentKey !== tag) throw new Error('it belongs to another key');
  const chain = v.parse(CHAIN, JSON.parse(get('chain') ?? '')).map(toLayerRef);
  const empty = get('empty') === 'true';
  const layer = empty ? undefined : chain.at(-1);
  const own = layer ?? EMPTY_LAYER;
  const [named] = manifest.layers;
  const isTyped = named.mediaType === own.mediaType || (inConfig && named.mediaType === UNTYPED);
  if (named.digest !== own.digest || named.size !== own.size || !isTyped)
    throw new Error('its layer is not the last of its chain');
  // What a runtime makes of it is what the chain says.
  const { os, architecture, variant, rootfs } = v.parse(CONFIG, parsedConfig);
  if (rootfs.diff_ids[0] !== own.diffId) throw new Error('its config names another content than its chain');
  const created = get('created') ?? '';
  if (Number.isNaN(Date.parse(created))) throw new Error('its time of creation is malformed');
  return {
    key,
    ...(contentKey ? { contentKey: v.parse(digest, contentKey) } : {}),
    base: v.parse(v.string(), get('base')),
    chain,
    ...(layer ? { layer } : {}),
    made: parseMade(get('made'), chain.length, empty),
    sources: v.parse(STRINGS, JSON.parse(get('sources') ?? '{}')),
    created,
    ...(created === UNDATED ? { undated: true } : {}),
    fields: v.parse(STRINGS, JSON.parse(get('fields') ?? '{}')),
    platform: { os, architecture, ...(variant ? { variant } : {}) },
    ...(fields === undefined ? signaturesIn(manifest.annotations, PREFIX) : signaturesIn(fields, '')),
  };
}

function fieldsOf(record: CacheRecord): Record<string, string> {
  const fields: Record<string, string | undefined> = {
    base: record.base,
    chain: JSON.stringify(record.chain.map(fromLayerRef)),
    'content-key': record.contentKey,
    created: record.undated ? UNDATED : record.created,
    empty: record.layer ? undefined : 'true',
    fields: JSON.stringify(record.fields),
    key: record.key,
    made: record.made,
    schema: RECORD_SCHEMA,
    sources: JSON.stringify(record.sources),
    ...signatureFields(record.signatures),
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function parseMade(made: string | undefined, layers: number, empty: boolean): string {
  const valid = made !== undefined && /^[01]+$/.test(made) && made.endsWith(empty ? '0' : '1');
  if (!valid || made.replaceAll('0', '').length !== layers) throw new Error('its steps do not fit its chain');
  return made;
}

function fromLayerRef(layer: LayerRef): (string | number)[] {
  const plain = [layer.mediaType, layer.digest, layer.size, layer.diffId];
  return layer.toc ? [...plain, layer.toc.offset, layer.toc.length, layer.toc.digest, TOC_VERSION] : plain;
}

function toLayerRef(entry: v.InferOutput<typeof CHAIN>[number]): LayerRef {
  const [mediaType, layerDigest, size, diffId] = entry;
  const plain = { mediaType, digest: layerDigest, size, diffId };
  return entry.length === 8
    ? { ...plain, toc: { offset: entry[4], length: entry[5], digest: entry[6] } }
    : plain;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
