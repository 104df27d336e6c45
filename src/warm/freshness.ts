import { join } from 'node:path';
import { hexOf } from '../core/digest.ts';
import { createKanikoStore, kanikoFiles } from '../oci/base-cache/kaniko-store.ts';
import { ifExists } from '../oci/blob-file.ts';
import type { Image, Store } from '../oci/types.ts';
import { realPathOf, statPlain } from '../sys/plain.ts';
import type { WarmRequest } from './types.ts';

/** Whether a cache has an image whole in every layout that is asked for, and fetched it not too long ago. */
export async function isFresh(
  { dir: named, layout, ttlMs }: WarmRequest,
  oci: Store | undefined,
  image: Image,
): Promise<boolean> {
  const dir = realPathOf(named);
  const { digest } = image.manifest.descriptor;
  const recent = (path: string): boolean =>
    Date.now() - (ifExists(() => statPlain(path))?.mtimeMs ?? 0) <= ttlMs;
  if (oci !== undefined) {
    if (!recent(join(dir, 'blobs/sha256', hexOf(digest))) || !(await holds(oci, image))) return false;
  }
  if (layout === 'oci') return true;
  return recent(kanikoFiles(dir, digest).archive) && holds(createKanikoStore(dir), image);
}

async function holds(store: Store, { manifest, parsed }: Image): Promise<boolean> {
  if ((await store.resolve(manifest.descriptor.digest)) === undefined) return false;
  const sizes = await Promise.all([parsed.config, ...parsed.layers].map(({ digest }) => store.has(digest)));
  return [parsed.config, ...parsed.layers].every(({ size }, i) => sizes[i] === size);
}
