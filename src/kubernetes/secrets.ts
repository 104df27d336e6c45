import { metadata, NAMES, REGISTRY_PORT } from './common.ts';
import type { ManifestSettings, PodSpec, Secret } from './types.ts';

/** Stands where the user's own secret goes; no registry and no git server takes it. */
const CHANGE_ME = 'CHANGE-ME';

/** The name by which pods of the cluster call the registry. */
export function registryHost(): string {
  return `${NAMES.registry}:${REGISTRY_PORT}`;
}

/** Secrets with the user's own values still to be filled in. */
export function secrets(settings: ManifestSettings): readonly Secret[] {
  const auth = { [registryHost()]: { username: 'envbuilder', password: CHANGE_ME } };
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(NAMES.git, 'workspace', settings),
      type: 'kubernetes.io/basic-auth',
      stringData: { username: 'git', password: CHANGE_ME },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(NAMES.registryLogin, 'workspace', settings),
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify({ auths: auth }) },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadata(NAMES.registryUsers, 'registry', settings),
      type: 'Opaque',
      stringData: { htpasswd: `envbuilder:${CHANGE_ME}` },
    },
  ];
}

/** The login for registries, as a directory that DOCKER_CONFIG names; pods start without it too. */
export function dockerConfigVolume(name: string): NonNullable<PodSpec['volumes']>[number] {
  return {
    name,
    secret: {
      secretName: NAMES.registryLogin,
      optional: true,
      defaultMode: 0o440,
      items: [{ key: '.dockerconfigjson', path: 'config.json' }],
    },
  };
}
