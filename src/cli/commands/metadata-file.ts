import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { BuildResult } from '../../builder/types.ts';
import { toAppError } from '../../core/error.ts';
import type { Redactor } from '../../report/redact.ts';

/**
 * Writes what a build gave as JSON, whole or not at all. The names are those of buildx's metadata file where it has them.
 * @throws AppError OUTPUT
 */
export function writeMetadataFile(
  path: string,
  result: BuildResult,
  { tags, redactor }: { readonly tags: readonly string[]; readonly redactor: Redactor },
): void {
  const metadata = {
    'containerimage.digest': result.imageDigest,
    'containerimage.config.digest': result.imageConfigDigest,
    ...(tags.length > 0 ? { 'image.name': tags.join(',') } : {}),
    envbuilder: {
      ...(result.pushedReference === undefined ? {} : { pushedReference: result.pushedReference }),
      layers: result.layers,
      summary: result.summary,
    },
  };
  const half = `${path}.tmp-${process.pid}`;
  try {
    writeFileSync(half, `${JSON.stringify(redactor.value(metadata), null, 2)}\n`);
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw toAppError(error, 'OUTPUT', `cannot write the metadata file ${path}`, { where: { path } });
  }
}
