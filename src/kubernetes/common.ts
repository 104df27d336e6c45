import type { ManifestSettings, PodSpec, SecurityContext } from './types.ts';

/** Names that objects refer to each other by. */
export const NAMES = {
  baseImages: 'envbuilder-base-images',
  baseImagesRead: 'envbuilder-base-images-read',
  warmer: 'envbuilder-warmer',
  warmNow: 'envbuilder-warm-now',
  registry: 'envbuilder-registry',
  registryUsers: 'envbuilder-registry-users',
  registryLogin: 'envbuilder-registry-login',
  git: 'envbuilder-git',
  workspace: 'envbuilder-workspace',
} as const;

export type Component = 'base-images' | 'warmer' | 'registry' | 'workspace';

/** The port of the registry. */
export const REGISTRY_PORT = 5000;

/** Where base images are mounted. */
export const BASE_IMAGES = '/base-images';

/** Any user but root; it owns nothing outside of its volumes. */
const NOBODY = 65532;

/** The labels by which selectors find a component's pods (Kubernetes' recommended labels). */
export function selectorOf(component: Component): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': 'envbuilder', 'app.kubernetes.io/component': component };
}

/** The metadata of an object. */
export function metadata(
  name: string,
  component: Component,
  { namespace }: ManifestSettings,
): { name: string; namespace?: string; labels: Record<string, string> } {
  return { name, ...(namespace === undefined ? {} : { namespace }), labels: { ...selectorOf(component) } };
}

/** What a pod needs that is not root: volumes of its group, no token of the cluster, the usual seccomp profile. */
export function unprivilegedPod(): Pick<
  PodSpec,
  'securityContext' | 'automountServiceAccountToken' | 'enableServiceLinks'
> {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
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
export function unprivilegedContainer(): SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
}
