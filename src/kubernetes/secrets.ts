import { metadata, namesOf, REGISTRY_PORT } from './common.ts';
import type { ConfigMap, Container, ManifestSettings, Secret } from './types.ts';

/** Stands where the user's own secret goes; no registry and no git server takes it. */
const CHANGE_ME = 'CHANGE-ME';

/** Who logs in to the registry, and what they may do there. */
const RIGHTS = 'prebuild  **  pull,push,delete\nworkspace **  pull\n';

/** The name by which pods call the registry. */
export function registryHost(settings: ManifestSettings): string {
  return settings.registry ?? `${namesOf(settings).registry}:${REGISTRY_PORT}`;
}

/** The repository that prebuilds write to and workspaces read. */
export function cacheRepository(settings: ManifestSettings): string {
  return `${registryHost(settings)}/cache`;
}

/** Secrets with the user's own values still to be filled in. */
export function secrets(settings: ManifestSettings): readonly (Secret | ConfigMap)[] {
  const names = namesOf(settings);
  const opaque = (name: string, component: Parameters<typeof metadata>[1], data: Record<string, string>) =>
    ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(name, component, settings),
      type: 'Opaque',
      stringData: data,
    }) satisfies Secret;
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(names.git, 'workspace', settings),
      type: 'kubernetes.io/basic-auth',
      stringData: { username: 'git', password: CHANGE_ME },
    },
    opaque(names.registryPull, 'workspace', { config: CHANGE_ME }),
    opaque(names.registryPush, 'prebuild', { config: CHANGE_ME }),
    ...(settings.signed
      ? [
          opaque(names.signingKey, 'prebuild', { key: CHANGE_ME }),
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: metadata(names.trustedKeys, 'workspace', settings),
            data: { trusted: CHANGE_ME },
          } satisfies ConfigMap,
        ]
      : []),
    opaque(names.registryUsers, 'registry', {
      htpasswd: `prebuild:${CHANGE_ME}\nworkspace:${CHANGE_ME}\n`,
      rights: RIGHTS,
    }),
  ];
}

/** A variable whose value is in a Secret; the pod waits for it, unless it is optional. */
export function secretVariable(
  name: string,
  secret: string,
  key: string,
  { optional = false } = {},
): NonNullable<Container['env']>[number] {
  return { name, valueFrom: { secretKeyRef: { name: secret, key, ...(optional ? { optional } : {}) } } };
}
