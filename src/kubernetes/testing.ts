import type { Manifest, ManifestSettings, PodSpec } from './types.ts';

/** Settings for tests: nothing is asked for, and all that must be said is. */
export const SETTINGS: ManifestSettings = {
  name: 'envbuilder',
  workspaceName: 'workspace',
  namespace: 'dev',
  runtimeImage: 'registry.example/envbuilder:1',
  images: ['a:1', 'b:2'],
  schedule: '0 0 * * *',
  prebuildSchedule: '*/5 * * * *',
  sharedVolume: false,
  signed: true,
  suspend: false,
  baseImagesSize: '1Gi',
  registrySize: '2Gi',
  workspaceSize: '3Gi',
  repository: 'https://git.example/a.git',
  architectures: [],
  kubectlImage: 'registry.k8s.io/kubectl:v1',
  requests: new Map(),
  limits: new Map(),
  nodeSelector: new Map(),
  tolerations: [],
  pullSecrets: [],
  labels: new Map(),
  annotations: new Map(),
  mirrors: [],
  maps: [],
  insecureRegistries: [],
};

/** The same with everything that can be asked for. */
export const ALL_SETTINGS: ManifestSettings = {
  ...SETTINGS,
  name: 'fleet',
  workspaceName: 'ada',
  convert: true,
  storageClass: 'fast',
  branch: 'main',
  registry: 'registry.corp',
  prebuilt: `registry.corp/cache@sha256:${'a'.repeat(64)}`,
  architectures: ['amd64', 'arm64'],
  priorityClass: 'low',
  queue: 'builds',
  requests: new Map([['cpu', '2']]),
  limits: new Map([['ephemeral-storage', '40Gi']]),
  nodeSelector: new Map([['pool', 'dev']]),
  tolerations: [{ key: 'builds', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: { podAntiAffinity: {} },
  serviceAccount: 'builder',
  pullSecrets: ['pull'],
  labels: new Map([['team', 'a']]),
  annotations: new Map([['owner', 'a: b']]),
  caConfigMap: 'corp-ca',
  mirrors: ['mirror.corp'],
  maps: ['ghcr.io=mirror.corp/ghcr'],
  insecureRegistries: ['old.corp:5000'],
};

/** A pod of an object, with its labels. */
export interface FoundPod {
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

/** The pods that objects are, or make. */
export function podsOf(all: readonly Manifest[]): readonly FoundPod[] {
  return all.flatMap((object) => {
    const template =
      object.kind === 'CronJob'
        ? object.spec?.jobTemplate.spec?.template
        : object.kind === 'Job' || object.kind === 'Deployment'
          ? (object.spec as { template?: { metadata?: object; spec?: PodSpec } }).template
          : object.kind === 'Pod'
            ? object
            : undefined;
    const spec = template?.spec as PodSpec | undefined;
    const { labels = {}, annotations = {} } = (template?.metadata ?? {}) as Partial<FoundPod>;
    return spec === undefined ? [] : [{ owner: `${object.kind}`, labels, annotations, spec }];
  });
}
