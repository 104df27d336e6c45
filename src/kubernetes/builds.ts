import { BASE_IMAGES, namesOf, placement, TERMINATION_MESSAGE } from './common.ts';
import { cacheRepository, registryHost, secretVariable } from './secrets.ts';
import type { Container, ManifestSettings, PodSpec } from './types.ts';
import { readableBaseImages } from './volumes.ts';

/**
 * What the start needs of root: to own, change and replace files of every user, to make device nodes, to give files
 * capabilities, to run commands in other roots and as other users, and to end what they leave; and what sudo and servers in
 * the workspace need. Nothing of it reaches beyond the container.
 */
export const CAPABILITIES: readonly string[] = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];
const REQUESTS = { cpu: '500m', memory: '512Mi' };
const LIMITS = { memory: '4Gi' };
const CERTIFICATES = '/ca';

type Variable = NonNullable<Container['env']>[number];

/** What pods have in common that become the environment of a repository: workspaces and prebuilds. */
export function buildingPod(
  settings: ManifestSettings,
  container: Container,
  volumes: PodSpec['volumes'] = [],
): PodSpec {
  const { caConfigMap } = settings;
  return {
    ...placement(settings),
    // A build that fails would fail again.
    restartPolicy: 'Never',
    securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
    volumes: [
      ...volumes,
      {
        name: 'base-images',
        persistentVolumeClaim: { claimName: readableBaseImages(settings), readOnly: true },
      },
      ...(caConfigMap === undefined ? [] : [certificatesVolume(caConfigMap)]),
    ],
  };
}

/**
 * Their container. Credentials come as variables, which no RUN and nothing that is started sees; files of a mount would be
 * seen by both.
 */
export function buildingContainer(
  name: string,
  env: readonly Variable[],
  settings: ManifestSettings,
): Container {
  const { runtimeImage, repository, branch, commit, caConfigMap } = settings;
  const { git } = namesOf(settings);
  const reference = commit ?? (branch === undefined ? undefined : `refs/heads/${branch}`);
  const url = reference === undefined ? repository : `${repository}#${reference}`;
  return {
    name,
    image: runtimeImage,
    env: [
      { name: 'ENVBUILDER_GIT_URL', value: url },
      secretVariable('ENVBUILDER_GIT_USERNAME', git, 'username', { optional: true }),
      secretVariable('ENVBUILDER_GIT_PASSWORD', git, 'password', { optional: true }),
      ...registryVariables(settings),
      { name: 'ENVBUILDER_BASE_IMAGE_CACHE_DIR', value: BASE_IMAGES },
      ...(settings.convert ? [{ name: 'ENVBUILDER_BASE_IMAGE_CACHE_COPIES', value: 'true' }] : []),
      { ...TERMINATION_MESSAGE },
      ...env,
    ],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    // It replaces its own root file system, so it starts as root and with a root that can be written.
    securityContext: { capabilities: { drop: ['ALL'], add: [...CAPABILITIES] } },
    resources: {
      requests: { ...REQUESTS, ...Object.fromEntries(settings.requests) },
      limits: { ...LIMITS, ...Object.fromEntries(settings.limits) },
    },
    volumeMounts: [
      { name: 'base-images', mountPath: BASE_IMAGES, readOnly: true },
      ...(caConfigMap === undefined ? [] : [certificatesMount()]),
    ],
  };
}

/** Where layers of prebuilds are read, and by which keys they are known. */
export function trustVariables(settings: ManifestSettings): readonly Variable[] {
  const trusted = { name: 'ENVBUILDER_CACHE_TRUSTED_REPOS', value: cacheRepository(settings) };
  if (!settings.signed) return [trusted];
  const { trustedKeys } = namesOf(settings);
  return [
    trusted,
    {
      name: 'ENVBUILDER_CACHE_TRUSTED_KEYS_BASE64',
      valueFrom: { configMapKeyRef: { name: trustedKeys, key: 'trusted' } },
    },
  ];
}

/** How registries are reached, for the warmer as well. */
export function registryVariables(settings: ManifestSettings): readonly Variable[] {
  const { registry, insecureRegistries, mirrors, maps, caConfigMap } = settings;
  // Our own speaks plain HTTP within the cluster.
  const insecure = [...(registry === undefined ? [registryHost(settings)] : []), ...insecureRegistries];
  const values: readonly [string, string][] = [
    ['ENVBUILDER_INSECURE_REGISTRY', insecure.join(',')],
    ['KANIKO_REGISTRY_MIRROR', mirrors.join(';')],
    ['KANIKO_REGISTRY_MAP', maps.join(';')],
    ['ENVBUILDER_SSL_CERT_FILE', caConfigMap === undefined ? '' : `${CERTIFICATES}/ca.crt`],
  ];
  return values.filter(([, value]) => value !== '').map(([name, value]) => ({ name, value }));
}

/** The volume of the authorities that are trusted besides. */
export function certificatesVolume(configMap: string): NonNullable<PodSpec['volumes']>[number] {
  return { name: 'ca', configMap: { name: configMap, items: [{ key: 'ca.crt', path: 'ca.crt' }] } };
}

/** Where it is mounted. */
export function certificatesMount(): NonNullable<Container['volumeMounts']>[number] {
  return { name: 'ca', mountPath: CERTIFICATES, readOnly: true };
}
