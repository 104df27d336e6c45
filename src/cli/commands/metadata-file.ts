import { toAppError } from '../../core/error.ts';
import { type BuildResult, type IndexResult, writeOutputText } from '../../index.ts';
import type { Redactor } from '../../report/redact.ts';

function imageFacts({ platform, imageDigest, imageConfigDigest, layers }: IndexResult['images'][number]) {
  return { platform, digest: imageDigest, configDigest: imageConfigDigest, layers };
}

/**
 * Writes what a build gave as JSON, as `writeOutputFile` does. The names are those of buildx's metadata file where it has them.
 * @throws AppError OUTPUT
 */
export async function writeMetadataFile(
  path: string,
  result: BuildResult | IndexResult,
  {
    tags,
    redactor,
    signal,
  }: { readonly tags: readonly string[]; readonly redactor: Redactor; readonly signal: AbortSignal },
): Promise<void> {
  const metadata = {
    'containerimage.digest': result.descriptor.digest,
    ...('images' in result ? {} : { 'containerimage.config.digest': result.imageConfigDigest }),
    'containerimage.descriptor': result.descriptor,
    ...(tags.length > 0 ? { 'image.name': tags.join(',') } : {}),
    envbuilder: {
      ...(result.pushedReference === undefined ? {} : { pushedReference: result.pushedReference }),
      ...('images' in result ? { images: result.images.map(imageFacts) } : { layers: result.layers }),
      summary: result.summary,
    },
  };
  try {
    await writeOutputText(path, `${JSON.stringify(redactor.value(metadata), null, 2)}\n`, { signal });
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot write the metadata file ${path}`, { where: { path } });
  }
}
