import { resolve } from 'node:path';
import { given } from '../../core/given.ts';
import type { DefinitionRequest } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import { parseObject } from './json-object.ts';

type Given = Pick<DefinitionRequest, 'additionalFeatures' | 'overrideConfig'>;

/**
 * What the options put beside a devcontainer.json, or in its place.
 * @throws AppError USAGE
 */
export function definitionOptions({ options }: Parsed, cwd: string): Given {
  const features = options['additional-features'];
  const file = options['override-config'];
  return given<Given>({
    additionalFeatures: features
      ? (parseObject(
          features,
          '--additional-features (ENVBUILDER_ADDITIONAL_FEATURES)',
          'write it as "features" of devcontainer.json: {"ghcr.io/devcontainers/features/go:1": {"version": "1.25"}}',
        ) as Given['additionalFeatures'])
      : undefined,
    overrideConfig: file ? resolve(cwd, file) : undefined,
  });
}
