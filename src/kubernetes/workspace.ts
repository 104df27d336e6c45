import { buildingContainer, buildingPod, trustVariables } from './builds.ts';
import { metadata, namesOf } from './common.ts';
import { secretVariable } from './secrets.ts';
import type { Container, Manifest, ManifestSettings, Pod } from './types.ts';
import { claim } from './volumes.ts';

/** As process 1 a program gets only the signals that it asks for, and sleep asks for none. */
const WAIT_FOR_THE_END = "trap 'exit 0' TERM INT; sleep infinity & wait";
/** Written when the start hands over to the init command. */
const IS_STARTED = ['/.envbuilder/bin/sh', '-c', 'test -e /.envbuilder/started'];
/** A first build may take two hours. */
const STARTUP = { periodSeconds: 5, failureThreshold: 1440 };

/** A workspace with its volume: a pod that clones, builds or takes from the cache, and becomes the environment. */
export function workspace(settings: ManifestSettings): readonly Manifest[] {
  const names = namesOf(settings);
  return [
    claim(names.workspace, 'workspace', 'ReadWriteOnce', settings.workspaceSize, settings),
    pod(settings),
  ];
}

function pod(settings: ManifestSettings): Pod {
  const names = namesOf(settings);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(names.workspace, 'workspace', settings),
    spec: buildingPod(settings, container(settings), [
      { name: 'workspaces', persistentVolumeClaim: { claimName: names.workspace } },
    ]),
  };
}

function container(settings: ManifestSettings): Container {
  const { registryPull } = namesOf(settings);
  const own = buildingContainer(
    'workspace',
    [
      ...trustVariables(settings),
      secretVariable('ENVBUILDER_DOCKER_CONFIG_BASE64', registryPull, 'config', { optional: true }),
      { name: 'ENVBUILDER_INIT_SCRIPT', value: WAIT_FOR_THE_END },
    ],
    settings,
  );
  const probe = { exec: { command: [...IS_STARTED] } };
  return {
    ...own,
    image: settings.prebuilt ?? own.image ?? '',
    startupProbe: { ...probe, ...STARTUP },
    readinessProbe: { ...probe, periodSeconds: 10 },
    volumeMounts: [{ name: 'workspaces', mountPath: '/workspaces' }, ...(own.volumeMounts ?? [])],
  };
}
