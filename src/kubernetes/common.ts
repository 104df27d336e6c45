import type { Container, ManifestSettings, PodSpec, SecurityContext } from './types.ts';

export type Component = 'base-images' | 'warmer' | 'registry' | 'registry-gc' | 'prebuild' | 'workspace';

/** Names that objects refer to each other by. */
export function namesOf({ name, workspaceName }: Pick<ManifestSettings, 'name' | 'workspaceName'>) {
  return {
    baseImages: `${name}-base-images`,
    baseImagesRead: `${name}-base-images-read`,
    warmer: `${name}-warmer`,
    warmNow: `${name}-warm-now`,
    registry: `${name}-registry`,
    registryGc: `${name}-registry-gc`,
    registryUsers: `${name}-registry-users`,
    /** A login that can only pull. */
    registryPull: `${name}-registry-pull`,
    /** A login that can push. */
    registryPush: `${name}-registry-push`,
    /** With which prebuilds sign. */
    signingKey: `${name}-signing-key`,
    /** What workspaces know signatures by. */
    trustedKeys: `${name}-trusted-keys`,
    git: `${name}-git`,
    prebuild: `${name}-prebuild`,
    /** What a git server has to know to start prebuilds. */
    webhook: `${name}-webhook`,
    workspace: `${name}-${workspaceName}`,
  } as const;
}

/** The port of the registry. */
export const REGISTRY_PORT = 5000;

/** The port of its metrics. */
export const METRICS_PORT = 9090;

/** Where base images are mounted. */
export const BASE_IMAGES = '/base-images';

/** Any user but root; it owns nothing outside of its volumes. */
const NOBODY = 65532;

/** Has a container say in the end what it has done, where Kubernetes reads it. */
export const TERMINATION_MESSAGE = {
  name: 'ENVBUILDER_TERMINATION_MESSAGE',
  value: '/dev/termination-log',
} as const;

/** The labels by which selectors find a component's pods (Kubernetes' recommended labels). */
export function selectorOf(
  component: Component,
  { name }: Pick<ManifestSettings, 'name'>,
): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'envbuilder',
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/component': component,
  };
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

/** The metadata of an object. */
export function metadata(name: string, component: Component, settings: ManifestSettings): Metadata {
  const { namespace } = settings;
  return { name, ...(namespace === undefined ? {} : { namespace }), ...podMetadata(component, settings) };
}

/** The metadata of the pods of an object. Labels that selectors go by cannot be given other values. */
export function podMetadata(
  component: Component,
  settings: ManifestSettings,
): Pick<Metadata, 'labels' | 'annotations'> {
  const annotations = Object.fromEntries(settings.annotations);
  return {
    labels: { ...Object.fromEntries(settings.labels), ...selectorOf(component, settings) },
    ...(settings.annotations.size === 0 ? {} : { annotations }),
  };
}

/** Where a pod runs, as whom, and with which images: what the operator's cluster asks for. */
export function placement(settings: ManifestSettings): Partial<PodSpec> {
  const { nodeSelector, tolerations, affinity, serviceAccount, pullSecrets } = settings;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
    ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
    ...(nodeSelector.size === 0 ? {} : { nodeSelector: Object.fromEntries(nodeSelector) }),
    ...(tolerations.length === 0 ? {} : { tolerations: tolerations.map((each) => ({ ...each })) }),
    ...(affinity === undefined ? {} : { affinity }),
  };
}

/**
 * Of a probe. Kubernetes takes one second for an answer, unless told: on a busy node that ends a registry that is well.
 */
export const PROBE_SECONDS = { periodSeconds: 10, timeoutSeconds: 10 } as const;

/** What a pod needs that is not root: volumes of its group, no token of the cluster, the usual seccomp profile. */
export function unprivilegedPod(settings: ManifestSettings): Partial<PodSpec> {
  return {
    ...placement(settings),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NOBODY,
      runAsGroup: NOBODY,
      fsGroup: NOBODY,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** A container that can do nothing but its work ("restricted" of the Pod Security Standards, and a read-only root). */
export function unprivilegedContainer(): Pick<
  Container,
  'securityContext' | 'resources' | 'terminationMessagePolicy'
> {
  const securityContext: SecurityContext = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  return {
    // The end of the log is what `kubectl describe` shows of a container that failed and said nothing.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext,
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
  };
}
