import { resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import {
  defaultPlatform,
  parseDuration,
  parsePlatform,
  type RegistrySettings,
  type WarmRequest,
  warm,
} from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import type { Options } from '../options/table.ts';
import { onePlatform } from '../requests/platforms.ts';
import { registrySettings } from '../requests/registries.ts';

/** `envbuilder warm`: prints a line for each image, with its digest, and whether it was there already. */
export const warmCommand: CommandBody = async (parsed, { env, cwd, stdout, signal }, emit) => {
  await warm(warmRequest(parsed, cwd), {
    registries: warmRegistries(parsed.options, env),
    onEvent: emit,
    signal,
    onImage: ({ reference, digest, outcome }) => stdout.write(`${outcome}\t${reference}\t${digest}\n`),
  });
};

/** @throws AppError USAGE */
function warmRegistries(options: Options, env: Environment): RegistrySettings {
  const files: NonNullable<RegistrySettings['hostFiles']>[number][] = [];
  for (const [host, authority] of options['registry-certificate']) files.push({ host, authority });
  for (const [host, pair] of options['registry-client-cert']) {
    const [cert, key, ...more] = pair.split(',');
    if (!cert || !key || more.length > 0) {
      throw new AppError('USAGE', `--registry-client-cert is "${pair}" for ${host}`, {
        hint: 'write HOST=CERT,KEY, with the files of a certificate and of its key',
      });
    }
    files.push({ host, pair: { cert, key } });
  }
  return {
    ...registrySettings(options, env),
    hostFiles: files,
    onlyMirrors: options['skip-default-registry-fallback'],
  };
}

/** @throws AppError USAGE */
function warmRequest({ options, operands }: Parsed, cwd: string): WarmRequest {
  const images = [...options.image, ...operands];
  if (images.length === 0 && options.dockerfile.length === 0) {
    throw new AppError('USAGE', 'no image is named', {
      hint: 'name images with --image REFERENCE, or a Dockerfile that uses them with --dockerfile FILE',
    });
  }
  const { layout, convert } = options;
  if (convert && layout === 'kaniko')
    throw new AppError('USAGE', '--convert needs an OCI layout, which --layout kaniko leaves out', {
      hint: 'leave out --layout, or write --layout oci',
    });
  const { platform } = onePlatform(options, 'a cache of base images');
  return {
    dir: resolve(cwd, options['cache-dir']),
    images,
    dockerfiles: options.dockerfile.map((path) => (/^https?:\/\//i.test(path) ? path : resolve(cwd, path))),
    allowOutside: options['allow-outside'].map((path) => resolve(cwd, path)),
    buildArgs: options['build-arg'],
    platform: platform === undefined ? defaultPlatform() : parsePlatform(platform),
    force: options.force,
    ttlMs: milliseconds(options['cache-ttl']),
    layout: layout === 'kaniko' || layout === 'oci' ? layout : 'all',
    convert,
  };
}

function milliseconds(text: string): number {
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined && nanoseconds >= 0) return nanoseconds / 1_000_000;
  throw new AppError('USAGE', `--cache-ttl is "${text}", which is no duration`, {
    hint: 'write it as 36h or 90m',
  });
}
