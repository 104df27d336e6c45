import { resolve } from 'node:path';
import { checkInside, readDefinition } from '../../context/repository.ts';
import { AppError, toAppError, type Where } from '../../core/error.ts';
import { contextOf } from '../build-options.ts';
import { parseEnvFile } from './env-file.ts';
import type { MergedService } from './load-project.ts';
import { type ComposeRequest, loadService } from './load-service.ts';
import { isMapping } from './merge-service.ts';
import { isRemote } from './service-paths.ts';

type Mapping = Readonly<Record<string, unknown>>;

export interface ComposeBuild {
  readonly context: string;
  readonly dockerfile: string;
  /** What names the Dockerfile. */
  readonly dockerfileWhere: Where;
  readonly dockerfileInline?: string;
  readonly target?: string;
  readonly args: Readonly<Record<string, string>>;
  readonly contexts: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Keys of a build that are honoured, or that change nothing about the image. */
const BUILD_KEYS: ReadonlySet<string> = new Set([
  'context',
  'dockerfile',
  'dockerfile_inline',
  'target',
  'args',
  'additional_contexts',
  'labels',
  'cache_from',
  'cache_to',
  'no_cache',
  'pull',
  'tags',
  'platforms',
  'provenance',
  'sbom',
]);

export interface ComposeVolume {
  readonly type: string;
  readonly source?: string;
  readonly target: string;
  readonly readOnly?: true;
}

/** What of a service makes a dev container; paths are absolute. */
export interface ComposeService {
  readonly build?: ComposeBuild;
  readonly image?: string;
  readonly platform?: string;
  readonly user?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly ComposeVolume[];
  /** The whole service, for what cannot be granted. */
  readonly all: Mapping;
  /** Keys of the build that would change the image, and that nobody honours here. */
  readonly oddBuildKeys: readonly string[];
  readonly otherServices: readonly string[];
  readonly unset: readonly string[];
}

/**
 * The service that becomes the dev container.
 * @throws AppError DEVCONTAINER when files or the service are missing or wrong, or it has neither image nor build; OUTSIDE
 */
export function composeService(request: ComposeRequest): ComposeService {
  return describeService(loadService(request), request);
}

/**
 * What of a service makes its container.
 * @throws AppError DEVCONTAINER when it has neither image nor build, or is wrong; OUTSIDE
 */
export function describeService(merged: MergedService, request: ComposeRequest): ComposeService {
  const { service, env } = merged;
  const fail = (what: string): never => {
    throw new AppError('DEVCONTAINER', `the service ${merged.name} ${what}`, { where: request.serviceWhere });
  };
  const text = (key: string): string | undefined => {
    const value = service[key];
    if (value === undefined || value === null) return undefined;
    return isMapping(value) || Array.isArray(value) ? fail(`has a ${key} that is not text`) : String(value);
  };
  const build = isMapping(service.build) ? buildOf(service.build, request, merged, fail) : undefined;
  const image = text('image');
  if (!build && image === undefined) fail('has neither image nor build');
  const [platform, user] = [text('platform'), text('user')];
  return {
    ...(build ? { build } : {}),
    ...(image === undefined ? {} : { image }),
    ...(platform === undefined ? {} : { platform }),
    ...(user === undefined ? {} : { user }),
    environment: { ...envFiles(merged, request), ...valuesOf(service.environment, env) },
    volumes: (Array.isArray(service.volumes) ? service.volumes : []).filter(isMapping).map(volumeOf),
    all: service,
    oddBuildKeys: isMapping(service.build)
      ? Object.keys(service.build).filter((key) => !BUILD_KEYS.has(key) && !key.startsWith('x-'))
      : [],
    otherServices: merged.services.filter((name) => name !== merged.name),
    unset: merged.unset,
  };
}

function buildOf(
  build: Mapping,
  request: ComposeRequest,
  merged: MergedService,
  fail: (what: string) => never,
): ComposeBuild {
  const { env } = merged;
  const context = String(build.context ?? request.files[0]!.replace(/\/[^/]*$/, ''));
  if (isRemote(context)) fail(`is built from ${context}, and only directories can be built here`);
  const { target, dockerfile_inline: inline } = build;
  const whereOf = (property: string, path: string): Where =>
    merged.whereOfPath(property, path) ?? request.serviceWhere;
  const check = (property: string, path: string, written = path): void =>
    checkInside(path, request.roots, { property, where: whereOf(property, written) });
  check('build.context', context);
  const contexts = valuesOf(build.additional_contexts, {});
  for (const [name, source] of Object.entries(contexts)) {
    const named = contextOf(source, context);
    if (named.type === 'dir') check(`build.additional_contexts.${name}`, named.path, source);
  }
  const dockerfile = String(build.dockerfile ?? 'Dockerfile');
  return {
    context,
    dockerfile,
    dockerfileWhere: whereOf('build.dockerfile', dockerfile),
    ...(typeof inline === 'string' ? { dockerfileInline: inline } : {}),
    ...(typeof target === 'string' && target !== '' ? { target } : {}),
    args: valuesOf(build.args, env),
    contexts,
    labels: valuesOf(build.labels, {}),
  };
}

/** Text values of a mapping; a name without a value takes it from the environment, or is left out. */
function valuesOf(mapping: unknown, env: MergedService['env']): Record<string, string> {
  const pairs = Object.entries(isMapping(mapping) ? mapping : {}).flatMap(([name, value]) => {
    const found = value === null || value === undefined ? env[name] : String(value);
    return found === undefined ? [] : [[name, found]];
  });
  return Object.fromEntries(pairs);
}

function envFiles(
  { service, env, whereOfPath }: MergedService,
  { roots, where: fallback }: ComposeRequest,
): Record<string, string> {
  const files = Array.isArray(service.env_file) ? service.env_file : [];
  const found: Record<string, string> = {};
  for (const file of files) {
    const path = String(isMapping(file) ? file.path : file);
    const required = !isMapping(file) || file.required !== false;
    const raw = isMapping(file) && file.format === 'raw';
    const where = whereOfPath('env_file', path) ?? fallback;
    try {
      const named = { property: 'env_file', where, by: 'definition' } as const;
      const content = readDefinition(resolve(path), roots, named).toString('utf8');
      Object.assign(found, raw ? rawLines(content) : parseEnvFile(content, { ...found, ...env }, where));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || required)
        throw toAppError(error, 'DEVCONTAINER', `cannot read the env file ${path}`, { where });
    }
  }
  return found;
}

function rawLines(content: string): Record<string, string> {
  const lines = content.split(/\r?\n/).filter((line) => /^[^#=][^=]*=/.test(line));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function volumeOf(volume: Mapping): ComposeVolume {
  return {
    type: String(volume.type ?? 'volume'),
    ...(volume.source === undefined ? {} : { source: String(volume.source) }),
    target: String(volume.target),
    ...(volume.read_only === true ? { readOnly: true } : {}),
  };
}
