import { join } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import type { RegistrySettings } from '../../index.ts';
import type { Options } from '../options/table.ts';
import { OPTIONS } from '../options/table.ts';
import { decodeBase64 } from './base64.ts';
import { trustedCertificates } from './certificates.ts';

/** Where kaniko-like images mount a Docker config. */
const IMAGE_DOCKER_CONFIG = '/.envbuilder/config.json';

const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'];

/**
 * How registries are reached, by the options and by the usual variables for proxies and Docker's config.
 * @throws AppError USAGE when a base64 value cannot be decoded, or certificates cannot be read
 */
export function registrySettings(options: Options, env: Environment): RegistrySettings {
  const config = decodeBase64('ENVBUILDER_DOCKER_CONFIG_BASE64', options['docker-config-base64']);
  const certificates = trustedCertificates(options, env);
  const baseImages = options['base-image-cache-dir'];
  const proxy = (name: string) => env[name] || env[name.toUpperCase()];
  const [http, https, noProxy] = [proxy('http_proxy'), proxy('https_proxy'), proxy('no_proxy')];
  return {
    insecure: options.insecure,
    mirrors: options['registry-mirror'],
    mirrorMap: mirrorMap(options['registry-map']),
    insecureRegistries: options['insecure-registry'],
    certsDirs: certsDirs(options, env),
    ...(config === undefined ? {} : { dockerConfigJson: config }),
    dockerConfigPaths: dockerConfigPaths(env),
    helperEnv: withoutOurs(env),
    proxy: { ...(http ? { http } : {}), ...(https ? { https } : {}), ...(noProxy ? { noProxy } : {}) },
    ...(certificates === undefined ? {} : { extraCaPem: certificates }),
    ...(baseImages
      ? {
          baseImages: {
            dir: baseImages,
            requireRegistry: options['base-image-cache-strict'],
            copies: options['base-image-cache-copies'],
          },
        }
      : {}),
  };
}

/**
 * What RUN sees of proxies: the variables of our environment, in both spellings, then build arguments of these names
 * (Dockerfile reference, "Predefined ARGs").
 */
export function proxyEnvironment(
  env: Environment,
  buildArgs: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
  const seen: Record<string, string> = {};
  for (const lower of PROXY_VARIABLES) {
    for (const name of [lower, lower.toUpperCase()]) {
      const value = buildArgs.get(name) ?? env[name];
      if (value) seen[name] = value;
    }
  }
  return seen;
}

/** Directories of certificates by host; all of them are read. */
function certsDirs(options: Options, env: Environment): readonly string[] {
  const own = options['registry-certs-dir'];
  return [
    ...(own === undefined ? [] : [own]),
    '/etc/docker/certs.d',
    '/etc/containers/certs.d',
    ...(env.HOME ? [join(env.HOME, '.config/containers/certs.d')] : []),
  ];
}

function mirrorMap(entries: readonly string[]): NonNullable<RegistrySettings['mirrorMap']> {
  return entries.map((entry) => {
    const [, registry, mirror] = /^\s*([^=\s/]+)=([^=\s]+)\s*$/.exec(entry) ?? [];
    if (registry !== undefined && mirror !== undefined) return { registry, mirror };
    throw new AppError('USAGE', `"${entry}" is not a mirror of a registry`, {
      hint: 'write REGISTRY=MIRROR, as in quay.io=mirror.example/quay',
    });
  });
}

/** Files that a Docker config may be in, first wins; a directory stands for its config.json. */
export function dockerConfigPaths(env: Environment): readonly string[] {
  return [
    ...(env.DOCKER_CONFIG ? [env.DOCKER_CONFIG] : []),
    IMAGE_DOCKER_CONFIG,
    ...(env.HOME ? [join(env.HOME, '.docker', 'config.json')] : []),
  ];
}

function withoutOurs(env: Environment): Environment {
  const ours = new Set(OPTIONS.flatMap(({ variable }) => (variable ? [variable] : [])));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.has(name)));
}
