import { AppError } from '../../core/error.ts';
import type { BuildRequest } from '../../index.ts';
import type { Options } from '../options/table.ts';
import { version } from '../version.ts';

/** Whoever builds without a name of its own. */
const BUILDER = 'urn:envbuilder';

/**
 * What `--provenance` asks for: `true`, `false`, `min`, `max`, and as in docker buildx `mode=…,builder-id=URI`.
 * @throws AppError USAGE
 */
export function provenanceRequest(
  options: Pick<Options, 'provenance' | 'push-image'>,
): Pick<BuildRequest, 'provenance'> {
  const text = options.provenance;
  if (text === undefined) return {};
  let wanted = true;
  let mode: 'min' | 'max' = 'min';
  let builderId = BUILDER;
  for (const part of text.split(',')) {
    const value = part.replace(/^mode=/, '');
    if (value === 'min' || value === 'max') mode = value;
    else if (part === 'true' || part === 'false') wanted = part === 'true';
    else if (/^builder-id=[a-z][a-z0-9+.-]*:\S+$/i.test(part)) builderId = part.slice('builder-id='.length);
    else
      throw new AppError('USAGE', `--provenance does not know "${part}"`, {
        hint: 'write mode=min or mode=max, and builder-id=URI behind a comma',
      });
  }
  if (!wanted) return {};
  if (!options['push-image'])
    throw new AppError('USAGE', 'provenance is stored beside an image that is pushed', {
      hint: 'name --push (ENVBUILDER_PUSH_IMAGE) as well, or leave --provenance out',
    });
  return { provenance: { mode, builderId, version: version() } };
}
