import { AppError } from '../../core/error.ts';
import { readLayer } from '../../layer/read-layer.ts';
import type { Platform } from '../../oci/types.ts';
import type { RegistryAccess } from '../registry-access.ts';

/** Bytes of a description. */
const MOST_DESCRIPTION = 16 * 1024 * 1024;
const DESCRIPTION = /^\.envbuilder\/app\/layer-([a-z]+)\.json$/;

/**
 * What a runtime image says of the layers that images have which its containers push. They lie in its uppermost layers, which
 * are small; the layers of its files are only read where they are not.
 * @param names of the layers that it has to describe
 * @returns the descriptions as they lie in the image, by name
 * @throws AppError USAGE where it is no runtime image; REFERENCE, REGISTRY, AUTH, CORRUPT
 */
export async function readDescriptions(
  reference: string,
  names: readonly string[],
  deps: {
    readonly registries: Pick<RegistryAccess, 'resolveImage'>;
    readonly platform: Platform;
    readonly signal: AbortSignal;
  },
): Promise<ReadonlyMap<string, Buffer>> {
  const { registries, platform, signal } = deps;
  const image = await registries.resolveImage(reference, platform, signal);
  const found = new Map<string, Buffer>();
  const missing = (): readonly string[] => names.filter((name) => !found.has(name));
  for (const { digest, mediaType } of image.parsed.layers.toReversed()) {
    if (missing().length === 0) break;
    const stream = await image.store.get(digest, undefined, signal);
    try {
      for await (const { entry, content } of readLayer(stream, mediaType, digest)) {
        const name = DESCRIPTION.exec(entry.path)?.[1];
        if (name === undefined || found.has(name) || entry.size > MOST_DESCRIPTION) continue;
        found.set(name, Buffer.concat(await Array.fromAsync(content)));
        if (missing().length === 0) break;
      }
    } finally {
      stream.destroy();
    }
  }
  if (missing().length === 0) return found;
  throw new AppError(
    'USAGE',
    `${reference} is no runtime image: it does not describe ${missing().join(' and ')}`,
    {
      hint: 'name the image of envbuilder that containers are started from',
    },
  );
}
