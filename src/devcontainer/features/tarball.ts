import { Readable } from 'node:stream';
import { type Digest, digestOf } from '../../core/digest.ts';
import { AppError, type Where } from '../../core/error.ts';
import { located } from '../../plan/located.ts';
import { shownId } from './identifier.ts';
import { FEATURE_FILE, parseMetadata } from './metadata.ts';
import type { Feature, FeatureId } from './types.ts';
import { readFromFeature, unpackFeature } from './unpack.ts';

export interface TarballDeps {
  /** @throws AppError when there is nothing at the URL, or it is too large */
  readonly download: (id: Extract<FeatureId, { type: 'tarball' }>) => Promise<Buffer>;
  readonly where: Where;
}

/**
 * A feature behind a URL. It is downloaded to know what it is, and kept in memory until it is installed.
 * @param pin the digest that a lockfile names
 * @throws AppError DEVCONTAINER when it is no feature; CORRUPT when it is not what the lockfile names
 */
export async function tarballFeature(
  id: Extract<FeatureId, { type: 'tarball' }>,
  pin: Digest | undefined,
  { download, where }: TarballDeps,
): Promise<Feature> {
  const bytes = await download(id);
  const digest = digestOf(bytes);
  const what = `the feature "${shownId(id)}"`;
  if (pin !== undefined && pin !== digest) {
    throw new AppError(
      'CORRUPT',
      `${what} has the digest ${digest}, not ${pin} as in devcontainer-lock.json`,
      {
        where,
        hint: 'it was changed at its URL; if that is right, remove its entry from devcontainer-lock.json',
      },
    );
  }
  const content = await located(where, () => readFromFeature(Readable.from([bytes]), FEATURE_FILE, what));
  if (!content) throw new AppError('DEVCONTAINER', `${what} holds no ${FEATURE_FILE}`, { where });
  return {
    metadata: parseMetadata(content.toString('utf8'), what, where),
    digest,
    contentDigest: digest,
    write: (directory) => located(where, () => unpackFeature(Readable.from([bytes]), directory, what)),
  };
}
