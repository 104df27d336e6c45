import { join, resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import { userCacheDir } from '../../core/user-cache-dir.ts';
import type { BuildRequest, CacheLocation, RuntimeSpec } from '../../index.ts';
import type { Redactor } from '../../report/redact.ts';
import type { Parsed } from '../options/parse.ts';
import type { OptionName, Options } from '../options/table.ts';
import { attestationRequest } from './attestations.ts';
import { parseContexts } from './build-contexts.ts';
import { parseSecret, parseSsh, textSecret } from './build-secrets.ts';
import { trustSettings } from './cache-trust.ts';
import { parseOutput } from './outputs.ts';
import { firstPlatform, onePlatform } from './platforms.ts';
import { proxyEnvironment, registrySettings } from './registries.ts';
import { chosenRuntime } from './runtime.ts';

const DEFAULT_TTL_DAYS = 7;

/** What a request is made from besides the options. */
export interface RequestDeps {
  /** In place of the one that the options or our own place name. */
  readonly runtime?: RuntimeSpec;
  readonly env: Environment;
  /** What relative paths on the command line are relative to. */
  readonly cwd: string;
  readonly redactor: Redactor;
}

/** Where the files of a build are; absolute, but for the Dockerfile of a context that is fetched. */
export type BuildFiles = Pick<BuildRequest, 'context' | 'contextSource' | 'dockerfile' | 'dockerfileText'>;

/**
 * What to ask the build or the probe for.
 * @throws AppError USAGE for values that cannot be meant, and for a push without a place to push to
 */
export function makeRequest(
  { options, command, given }: Parsed,
  files: BuildFiles,
  deps: RequestDeps,
): BuildRequest {
  const { env, cwd, redactor } = deps;
  const ours = userCacheDir(env);
  const cache = cacheLocation(options, cwd);
  if (options['push-image'] && !cache && options.tag.length === 0) {
    throw new AppError('USAGE', 'there is nowhere to push to', {
      hint: 'name --cache-repo (ENVBUILDER_CACHE_REPO), --layer-cache-dir (ENVBUILDER_LAYER_CACHE_DIR) or a --tag',
    });
  }
  const trust = trustSettings(options, deps);
  const runtime = deps.runtime ?? chosenRuntime(command, options, cwd);
  // Those of a probe are forms of its answer.
  const written = command === 'probe' || command === 'explain' ? [] : outputs(options, cwd);
  const variableSecrets = [...options['build-secrets']];
  return {
    ...files,
    ignoreSyntax: options['ignore-syntax'] || command === 'start',
    allowOutside: options['allow-outside'].map((path) => resolve(cwd, path)),
    ...backend(options.backend),
    ...(options.target === undefined ? {} : { target: options.target }),
    buildArgs: withEpoch(options['build-arg'], env),
    // A pushed image is for others, of whom some build it themselves.
    reproducible: given.has('reproducible')
      ? options.reproducible
      : command === 'start' && options['push-image'],
    contexts: parseContexts(options['build-context'], cwd),
    labels: options.label,
    secrets: [
      ...options.secret.map((text) => parseSecret(text, deps)),
      ...variableSecrets.map(([id, value]) => textSecret(id, value, redactor)),
    ],
    ssh: options.ssh.map((text) => parseSsh(text, deps)),
    allowedDevices: allowedDevices(options.allow),
    ...(command === 'start' || command === 'explain'
      ? onePlatform(options, `envbuilder ${command}`)
      : firstPlatform(options)),
    tags: options.tag,
    ...(cache ? { cache } : {}),
    trustedCaches: options['cache-trusted-repos'],
    ...(trust ? { trust } : {}),
    // As in envbuilder (Go), where templates write 0 for "as usual".
    cacheTtlDays: options['cache-ttl-days'] || DEFAULT_TTL_DAYS,
    cacheWaitMs: options['cache-wait-seconds'] * 1000,
    noCache: options['no-cache'],
    ...(options['cache-salt'] === undefined ? {} : { cacheSalt: options['cache-salt'] }),
    push: options['push-image'],
    ...(runtime ? { runtime } : {}),
    failOnPushError: options['exit-on-push-failure'],
    ...attestationRequest(options, written),
    outputs: written,
    compression: options.compression === 'gzip' ? 'gzip' : 'zstd',
    workDir: resolve(cwd, options['work-dir'] ?? join(ours, 'work')),
    stateDir: resolve(cwd, options['state-dir'] ?? join(ours, 'state')),
    registries: registrySettings(options, env),
    // Secrets given by name are variables of RUN as well, and like proxies they are no part of a key.
    proxyEnv: { ...proxyEnvironment(env, options['build-arg']), ...Object.fromEntries(variableSecrets) },
  };
}

function backend(kind: string): Pick<BuildRequest, 'backend'> {
  return kind === 'overlay' || kind === 'copies' ? { backend: { kind } } : {};
}

/** @throws AppError USAGE */
function allowedDevices(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => {
    if (text === 'device') return '*';
    if (text.startsWith('device=')) return text.slice('device='.length);
    if (text === 'network.host' || text === 'security.insecure') return [];
    throw new AppError('USAGE', `--allow does not know "${text}"`, { hint: 'write device or device=NAME' });
  });
}

/** As `docker buildx` does, SOURCE_DATE_EPOCH is handed on from the environment. */
function withEpoch(buildArgs: BuildRequest['buildArgs'], env: Environment): BuildRequest['buildArgs'] {
  const epoch = env.SOURCE_DATE_EPOCH;
  return epoch ? new Map([['SOURCE_DATE_EPOCH', epoch], ...buildArgs]) : buildArgs;
}

/** Where to look for cached layers; a directory wins over a repository. */
function cacheLocation(options: Options, cwd: string): CacheLocation | undefined {
  const path = options['layer-cache-dir'];
  if (path !== undefined) return { type: 'directory', path: resolve(cwd, path) };
  const reference = options['cache-repo'];
  return reference === undefined ? undefined : { type: 'registry', reference };
}

/** Whether there is anywhere to look for cached layers. */
export function hasCache(options: Options, cwd: string): boolean {
  return cacheLocation(options, cwd) !== undefined || options['cache-trusted-repos'].length > 0;
}

/** Warnings about options that do not go together. */
export function optionWarnings({ given, command }: Parsed): readonly string[] {
  const has = (...names: readonly OptionName[]): boolean => names.some((name) => given.has(name));
  const warnings: string[] = [];
  if (has('layer-cache-dir') && has('cache-repo'))
    warnings.push(
      'both a layer cache directory and a cache repository are named; the repository is not used',
    );
  const judges = has('cache-trusted-keys', 'cache-trusted-keys-base64');
  const signs = has('cache-sign-key-path', 'cache-sign-key-base64');
  if (
    command !== 'probe' &&
    command !== 'explain' &&
    judges &&
    !signs &&
    has('layer-cache-dir', 'cache-repo')
  ) {
    warnings.push(
      'what is stored in the cache is not signed, so it will count as missing with these trusted keys; name a key to sign with, or a repository that is only read with --cache-trusted-repos (ENVBUILDER_CACHE_TRUSTED_REPOS)',
    );
  }
  return warnings;
}

function outputs(options: Options, cwd: string): BuildRequest['outputs'] {
  const all = options.output.map((text) => parseOutput(text, cwd));
  const paths = all.map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice === undefined) return all;
  throw new AppError('USAGE', `two outputs go to ${twice}`, { hint: 'give each output a path of its own' });
}
