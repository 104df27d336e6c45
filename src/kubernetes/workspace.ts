import { BASE_IMAGES, metadata, NAMES } from './common.ts';
import { dockerConfigVolume, registryHost } from './secrets.ts';
import type { Container, Manifest, ManifestSettings, Pod } from './types.ts';
import { claim, readableBaseImages } from './volumes.ts';

/**
 * What the start needs of root: to own, change and replace files of every user, to make device nodes, to give files
 * capabilities, to run commands in other roots and as other users, and to end what they leave; and what sudo and servers in
 * the workspace need. Nothing of it reaches beyond the container.
 */
const CAPABILITIES = [
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

/** A workspace with its volume: a pod that clones, builds or takes from the cache, and becomes the environment. */
export function workspace(settings: ManifestSettings): readonly Manifest[] {
  return [
    claim(NAMES.workspace, 'workspace', 'ReadWriteOnce', settings.workspaceSize, settings),
    pod(settings),
  ];
}

function pod(settings: ManifestSettings): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(NAMES.workspace, 'workspace', settings),
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Always',
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      containers: [container(settings)],
      volumes: [
        { name: 'workspaces', persistentVolumeClaim: { claimName: NAMES.workspace } },
        {
          name: 'base-images',
          persistentVolumeClaim: { claimName: readableBaseImages(settings), readOnly: true },
        },
        dockerConfigVolume('login'),
      ],
    },
  };
}

function container(settings: ManifestSettings): Container {
  return {
    name: 'workspace',
    image: settings.runtimeImage,
    env: [
      { name: 'ENVBUILDER_GIT_URL', value: settings.repository },
      gitSecret('ENVBUILDER_GIT_USERNAME', 'username'),
      gitSecret('ENVBUILDER_GIT_PASSWORD', 'password'),
      { name: 'ENVBUILDER_CACHE_REPO', value: `${registryHost()}/cache` },
      { name: 'ENVBUILDER_INSECURE_REGISTRY', value: registryHost() },
      { name: 'ENVBUILDER_BASE_IMAGE_CACHE_DIR', value: BASE_IMAGES },
      { name: 'ENVBUILDER_INIT_SCRIPT', value: 'sleep infinity' },
      { name: 'DOCKER_CONFIG', value: '/login' },
    ],
    // It replaces its own root file system, so it starts as root and with a root that can be written.
    securityContext: { capabilities: { drop: ['ALL'], add: [...CAPABILITIES] } },
    resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '4Gi' } },
    volumeMounts: [
      { name: 'workspaces', mountPath: '/workspaces' },
      { name: 'base-images', mountPath: BASE_IMAGES, readOnly: true },
      { name: 'login', mountPath: '/login', readOnly: true },
    ],
  };
}

function gitSecret(name: string, key: string): NonNullable<Container['env']>[number] {
  return { name, valueFrom: { secretKeyRef: { name: NAMES.git, key, optional: true } } };
}
