import { AppError } from '../../core/error.ts';
import type { BuildRequest } from '../../index.ts';
import type { Options } from '../options/table.ts';
import { version } from '../version.ts';

/** Whoever builds without a name of its own. */
const BUILDER = 'urn:envbuilder';

/**
 * What is to be stored beside images: `--sbom`, and `--provenance` with `true`, `false`, `min`, `max`, and as in docker
 * buildx `mode=…,builder-id=URI`.
 * @param outputs of the request
 * @throws AppError USAGE
 */
export function attestationRequest(
  options: Pick<Options, 'provenance' | 'sbom' | 'push-image'>,
  outputs: BuildRequest['outputs'],
): Pick<BuildRequest, 'provenance' | 'sbom'> {
  const provenance = provenanceRequest(options.provenance);
  if (!options.sbom && !provenance) return {};
  const hasPlace = options['push-image'] || outputs.some(({ type }) => type === 'oci');
  if (!hasPlace)
    throw new AppError(
      'USAGE',
      `${provenance ? 'provenance' : 'a list of packages'} is stored beside an image that is pushed or written as an OCI layout`,
      {
        hint: `name --push (ENVBUILDER_PUSH_IMAGE) or --output type=oci as well, or leave --${provenance ? 'provenance' : 'sbom'} out`,
      },
    );
  return { ...(provenance ? { provenance } : {}), ...(options.sbom ? { sbom: { version: version() } } : {}) };
}

function provenanceRequest(text: string | undefined): BuildRequest['provenance'] {
  if (text === undefined) return undefined;
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
  return wanted ? { mode, builderId, version: version() } : undefined;
}
