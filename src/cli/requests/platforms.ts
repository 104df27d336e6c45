import { AppError } from '../../core/error.ts';
import { distinctPlatforms } from '../../index.ts';
import type { Options } from '../options/table.ts';

type Asked = Pick<Options, 'platform'>;

/** The platforms of an index; none where one image is asked for. @throws AppError USAGE */
export function indexPlatforms({ platform }: Asked): readonly string[] {
  const platforms = distinctPlatforms(platform);
  return platforms.length > 1 ? platforms : [];
}

/** The first platform that is asked for. @throws AppError USAGE */
export function firstPlatform({ platform }: Asked): { readonly platform?: string } {
  const [first] = distinctPlatforms(platform);
  return first === undefined ? {} : { platform: first };
}

/**
 * The platform, where there can be one alone.
 * @param what there can be one for, for the error
 * @throws AppError USAGE
 */
export function onePlatform(options: Asked, what: string): { readonly platform?: string } {
  const several = indexPlatforms(options);
  if (several.length === 0) return firstPlatform(options);
  throw new AppError('USAGE', `${what} is for one platform, and --platform names ${several.join(' and ')}`, {
    hint: 'name one with --platform (ENVBUILDER_PLATFORM)',
  });
}
