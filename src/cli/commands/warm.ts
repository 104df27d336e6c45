import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { defaultPlatform, parseDuration, parsePlatform, type WarmRequest, warm } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { registrySettings } from '../requests/registries.ts';

/** `envbuilder warm`: prints a line for each image, with its digest, and whether it was there already. */
export const warmCommand: CommandBody = async (parsed, { env, cwd, stdout, signal }, emit) => {
  await warm(warmRequest(parsed, cwd), {
    registries: registrySettings(parsed.options, env),
    onEvent: emit,
    signal,
    onImage: ({ reference, digest, outcome }) => stdout.write(`${outcome}\t${reference}\t${digest}\n`),
  });
};

/** @throws AppError USAGE */
function warmRequest({ options, operands }: Parsed, cwd: string): WarmRequest {
  const images = [...options.image, ...operands];
  if (options['cache-dir'] === undefined) {
    throw new AppError('USAGE', 'no directory is named', { hint: 'name the cache with --cache-dir DIR' });
  }
  if (images.length === 0 && options.dockerfile.length === 0) {
    throw new AppError('USAGE', 'no image is named', {
      hint: 'name images with --image REFERENCE, or a Dockerfile that uses them with --dockerfile FILE',
    });
  }
  const { platform, layout } = options;
  return {
    dir: resolve(cwd, options['cache-dir']),
    images,
    dockerfiles: options.dockerfile.map((path) => resolve(cwd, path)),
    allowOutside: options['allow-outside'].map((path) => resolve(cwd, path)),
    buildArgs: options['build-arg'],
    platform: platform === undefined ? defaultPlatform() : parsePlatform(platform),
    force: options.force,
    ttlMs: milliseconds(options['cache-ttl']),
    layout: layout === 'kaniko' || layout === 'oci' ? layout : 'all',
  };
}

function milliseconds(text: string): number {
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined && nanoseconds >= 0) return nanoseconds / 1_000_000;
  throw new AppError('USAGE', `--cache-ttl is "${text}", which is no duration`, {
    hint: 'write it as 36h or 90m',
  });
}
