import { AppError } from '../../core/error.ts';
import { given } from '../../core/given.ts';
import { type ManifestSettings, parseReference } from '../../index.ts';
import type { Options } from '../options/table.ts';

/** A namespace is a DNS label (RFC 1123), and so is every name that is put together of ours. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** What else is added to a name has to fit into the 52 characters of a CronJob's. */
const SHORT_LABEL = /^[a-z](?:[a-z0-9-]{0,22}[a-z0-9])?$/;
/** The name of an object of the cluster's (RFC 1123, a subdomain). */
const OBJECT = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const QUANTITY = /^\d+(?:\.\d+)?(?:[kKMGTPE]i?|m)?$/;
/** A size of nothing but full bytes. */
const SIZE = /^\d+(?:\.\d+)?(?:[kKMGTPE]i?)?$/;
const LABEL_NAME = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;
const BRANCH = /^(?!.*(?:\.\.|@\{|\/\/))[^\s~^:?*[\\#\p{Cc}]+(?<![/.])$/u;
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const AFFINITIES = ['nodeAffinity', 'podAffinity', 'podAntiAffinity'];

const OWN_IMAGE = 'registry.example/envbuilder:latest';

/**
 * What manifests are made from, as the options say it.
 * @param scheduleFault what is wrong with a schedule
 * @throws AppError USAGE, REFERENCE
 */
export function manifestSettings(
  options: Options,
  scheduleFault: (text: string) => string | undefined,
): ManifestSettings {
  const { image, 'runtime-image': runtimeImage = OWN_IMAGE, prebuilt } = options;
  checkNames(options);
  for (const name of ['schedule', 'prebuild-schedule'] as const) {
    const fault = scheduleFault(options[name]);
    if (fault !== undefined)
      throw new AppError('USAGE', `--${name} is "${options[name]}": ${fault}`, {
        hint: 'write five fields as cron does, as in "15 3 * * *"',
      });
  }
  for (const reference of [
    ...image,
    runtimeImage,
    options['kubectl-image'],
    ...options['service-image'].values(),
  ])
    parseReference(reference);
  const { registry } = options;
  if (registry !== undefined && parseReference(`${registry}/cache`).registry !== registry.split('/')[0])
    throw new AppError('USAGE', `--registry is "${registry}", which is not the address of a registry`, {
      hint: 'write HOST[:PORT][/PREFIX], as in registry.example.com/team-a',
    });
  if (prebuilt !== undefined && parseReference(prebuilt).digest === undefined)
    throw new AppError('USAGE', `--prebuilt is "${prebuilt}", which another image may be called tomorrow`, {
      hint: 'name it by its digest, which `envbuilder probe` prints, as in registry.example/app@sha256:…',
    });
  return {
    ...given<Partial<ManifestSettings>>({
      namespace: options.namespace,
      storageClass: options['storage-class'],
      branch: options.branch,
      commit: options.commit,
      registry: options.registry,
      prebuilt,
      priorityClass: options['priority-class'],
      queue: options.queue,
      serviceAccount: options['service-account'],
      caConfigMap: options['ca-config-map'],
      affinity: affinityOf(options.affinity),
    }),
    name: options.name,
    workspaceName: options['workspace-name'],
    runtimeImage,
    images: image.length === 0 ? ['debian:bookworm'] : image,
    convert: options.convert,
    schedule: options.schedule,
    prebuildSchedule: options['prebuild-schedule'],
    repository: options.repository,
    sharedVolume: options['shared-volume'],
    signed: !options.unsigned,
    suspend: options.suspend,
    architectures: options.architecture,
    kubectlImage: options['kubectl-image'],
    baseImagesSize: options['base-images-size'],
    registrySize: options['registry-size'],
    workspaceSize: options['workspace-size'],
    requests: options.requests,
    limits: options.limits,
    nodeSelector: options['node-selector'],
    tolerations: options.toleration.map(tolerationOf),
    pullSecrets: options['image-pull-secret'],
    labels: options['extra-label'],
    annotations: options['extra-annotation'],
    mirrors: options['registry-mirror'],
    maps: options['registry-map'],
    insecureRegistries: options['insecure-registry'],
  };
}

/** What is refused by the API is refused here, with the name of the option. @throws AppError USAGE */
function checkNames(options: Options): void {
  const { namespace, commit, branch, repository, requests, limits } = options;
  if (namespace !== undefined) check('namespace', namespace, LABEL, 'write a DNS label, as in team-a');
  for (const name of ['name', 'workspace-name'] as const)
    check(name, options[name], SHORT_LABEL, 'write up to 24 small letters, digits and hyphens, as in team-a');
  for (const name of [
    'service-account',
    'ca-config-map',
    'priority-class',
    'queue',
    'storage-class',
  ] as const)
    if (options[name] !== undefined)
      check(name, options[name], OBJECT, 'write the name of an object of the cluster');
  for (const name of options['image-pull-secret'])
    check('image-pull-secret', name, OBJECT, 'write the name of a Secret');
  for (const name of ['base-images-size', 'registry-size', 'workspace-size', 'service-volume-size'] as const)
    check(name, options[name], SIZE, 'write a quantity as Kubernetes does, as in 20Gi');
  for (const [name, map] of Object.entries({ requests, limits }))
    for (const [resource, value] of map) {
      check(name, resource, LABEL_NAME, 'write RESOURCE=QUANTITY, as in memory=4Gi');
      check(name, value, QUANTITY, 'write a quantity as Kubernetes does, as in memory=4Gi');
    }
  for (const name of ['node-selector', 'extra-label'] as const)
    for (const [label, value] of options[name]) {
      check(name, label, LABEL_NAME, 'write LABEL=VALUE, as in example.com/team=a');
      check(name, value, LABEL_VALUE, 'a value has up to 63 letters, digits, "-", "_" and "."');
    }
  for (const [annotation] of options['extra-annotation'])
    check('extra-annotation', annotation, LABEL_NAME, 'write NAME=VALUE, as in example.com/owner=a');
  for (const name of options.architecture)
    check(
      'architecture',
      name,
      LABEL,
      'write it as the label kubernetes.io/arch of nodes has it, as in amd64',
    );
  if (options['service-image'].size > 0 && options.compose === undefined)
    throw new AppError('USAGE', '--service-image needs --compose', {
      hint: 'name a checkout whose devcontainer.json names a Compose project, as in --compose .',
    });
  if (commit !== undefined) check('commit', commit, /^[0-9a-f]{40}$/, 'write all 40 digits');
  if (branch !== undefined)
    check('branch', branch, BRANCH, 'write the name of a branch, without refs/heads/');
  if ((commit !== undefined || branch !== undefined) && repository.includes('#'))
    throw new AppError('USAGE', 'the repository names a branch or a commit, and so does another option', {
      hint: 'leave out what follows # in --repository',
    });
}

function check(name: string, value: string, pattern: RegExp, hint: string): void {
  if (!pattern.test(value)) throw new AppError('USAGE', `--${name} has "${value}"`, { hint });
}

function tolerationOf(text: string): ManifestSettings['tolerations'][number] {
  if (text === '*') return { operator: 'Exists' };
  const [, key = '', value, effect] = /^([^=:]+)(?:=([^:]*))?(?::(\w+))?$/.exec(text) ?? [];
  const known = effect === undefined || EFFECTS.includes(effect);
  if (!known || !LABEL_NAME.test(key) || !LABEL_VALUE.test(value ?? ''))
    throw new AppError('USAGE', `--toleration has "${text}"`, {
      hint: `write KEY[=VALUE][:EFFECT], as in builds=true:NoSchedule; effects are ${EFFECTS.join(', ')}`,
    });
  return {
    key,
    ...(value === undefined ? { operator: 'Exists' } : { operator: 'Equal', value }),
    ...(effect === undefined ? {} : { effect }),
  } as ManifestSettings['tolerations'][number];
}

function affinityOf(text: string | undefined): ManifestSettings['affinity'] {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below.
  }
  const isAffinity =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).every((key) => AFFINITIES.includes(key));
  if (isAffinity) return value as ManifestSettings['affinity'];
  throw new AppError('USAGE', '--affinity is not an affinity of the API', {
    hint: `write JSON with ${AFFINITIES.join(', ')}`,
  });
}
