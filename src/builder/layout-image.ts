import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { resolveImage } from '../oci/image.ts';
import { createOciLayoutStore } from '../oci/oci-layout.ts';
import { parseReference } from '../oci/reference.ts';
import type { Image, Platform } from '../oci/types.ts';
import type { LayoutContext } from '../plan/inputs.ts';

/**
 * An image of an OCI layout, which is only read.
 * @throws AppError CONTEXT where there is no layout, REFERENCE where it has no such image; CORRUPT
 */
export async function resolveLayout(
  { path, version }: LayoutContext,
  platform: Platform,
  signal: AbortSignal,
): Promise<Image> {
  if (!existsSync(join(path, 'oci-layout'))) {
    throw new AppError('CONTEXT', `${path} is no OCI layout`, {
      where: { path },
      hint: 'write NAME=oci-layout://DIRECTORY:TAG, or DIRECTORY@DIGEST',
    });
  }
  // Of the reference only the version counts.
  const reference = parseReference(isDigest(version) ? `layout@${version}` : `layout:${version}`);
  return resolveImage(createOciLayoutStore(path), reference, platform, signal);
}
