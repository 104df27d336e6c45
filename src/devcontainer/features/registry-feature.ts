import * as v from 'valibot';
import type { RegistryAccess } from '../../builder/registry-access.ts';
import { type Digest, isDigest } from '../../core/digest.ts';
import { AppError, type Where } from '../../core/error.ts';
import type { Store } from '../../oci/types.ts';
import { located } from '../../plan/located.ts';
import { resourceOf } from './identifier.ts';
import { FEATURE_FILE, parseMetadata } from './metadata.ts';
import type { Feature, FeatureId } from './types.ts';
import { readFromFeature, unpackFeature } from './unpack.ts';

/** Dev Container Features distribution, "OCI Registry". */
const CONFIG_TYPE = 'application/vnd.devcontainers';
const METADATA_ANNOTATION = 'dev.containers.metadata';

const digest = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const schema = v.looseObject({
  config: v.looseObject({ mediaType: v.literal(CONFIG_TYPE) }),
  layers: v.pipe(v.array(v.looseObject({ digest })), v.minLength(1)),
  annotations: v.optional(v.record(v.string(), v.string())),
});

export interface RegistryFeatureDeps {
  readonly registries: Pick<RegistryAccess, 'open'>;
  readonly signal: AbortSignal;
  readonly where: Where;
}

/**
 * A feature in a registry. Where its manifest holds the metadata nothing else is downloaded before the files are needed.
 * @param pin the digest of the manifest that a lockfile names
 * @throws AppError DEVCONTAINER when there is none or it is no feature; REGISTRY, AUTH, CORRUPT
 */
export async function registryFeature(
  id: Extract<FeatureId, { type: 'oci' }>,
  pin: Digest | undefined,
  { registries, signal, where }: RegistryFeatureDeps,
): Promise<Feature> {
  const { registry, namespace, name } = id;
  const reference = { registry, repository: `${namespace}/${name}`, familiar: resourceOf(id) };
  const store = registries.open(reference);
  const version = pin ?? id.digest ?? id.tag ?? 'latest';
  const manifest = await store.resolve(version, signal);
  if (!manifest) {
    throw new AppError('DEVCONTAINER', `there is no feature ${resourceOf(id)} with the version ${version}`, {
      where,
      hint: pin
        ? 'devcontainer-lock.json names this version; remove its entry to take another'
        : 'check its name and version; if it is private, log in to its registry',
    });
  }
  const parsed = v.safeParse(schema, parseJson(manifest.bytes));
  if (!parsed.success) {
    throw new AppError('DEVCONTAINER', `${resourceOf(id)}:${version} is not a feature`, {
      where,
      hint: 'its manifest has none of the types of features; is it the name of an image?',
    });
  }
  const { layers, annotations } = parsed.output;
  const what = `the feature "${id.written}"`;
  const layer = layers[0]!.digest;
  const text =
    annotations?.[METADATA_ANNOTATION] ?? (await metadataOfLayer(store, layer, { what, signal, where }));
  return {
    metadata: parseMetadata(text, what, where),
    digest: manifest.descriptor.digest,
    contentDigest: layer,
    manifest: parsed.output,
    write: async (directory, access) => {
      const archive = await access.open(reference).get(layer, undefined, access.signal);
      await located(where, () => unpackFeature(archive, directory, what));
    },
  };
}

async function metadataOfLayer(
  store: Store,
  layer: Digest,
  { what, signal, where }: { readonly what: string; readonly signal: AbortSignal; readonly where: Where },
): Promise<string> {
  const content = await readFromFeature(await store.get(layer, undefined, signal), FEATURE_FILE, what);
  if (content) return content.toString('utf8');
  throw new AppError('DEVCONTAINER', `${what} holds no ${FEATURE_FILE}`, {
    where,
    hint: 'report it to the author of the feature, or use another version of it',
  });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
