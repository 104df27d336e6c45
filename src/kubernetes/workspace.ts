import { buildingContainer, buildingPod, trustVariables } from './builds.ts';
import { metadata, namesOf, PROBE_SECONDS } from './common.ts';
import { secretVariable } from './secrets.ts';
import { type Beside, servicesBeside } from './services/beside.ts';
import { WORKSPACES } from './services/mounts.ts';
import type { Container, Manifest, ManifestSettings, Pod } from './types.ts';
import { claim } from './volumes.ts';

/** As process 1 a program gets only the signals that it asks for, and sleep asks for none. */
const WAIT_FOR_THE_END = "trap 'exit 0' TERM INT; sleep infinity & wait";
const WORKSPACES_MOUNT = { name: 'workspaces', mountPath: WORKSPACES };
/** Written when the start hands over to the init command. */
const IS_STARTED = ['/.envbuilder/bin/sh', '-c', 'test -e /.envbuilder/started'];
/** A first build may take two hours. */
const STARTUP = { ...PROBE_SECONDS, periodSeconds: 5, failureThreshold: 1440 };

/**
 * A workspace with its volume: a pod that clones, builds or takes from the cache, and becomes the environment, with the
 * services of its Compose project beside it where there are some.
 * @throws AppError as servicesBeside
 */
export function workspace(settings: ManifestSettings): readonly Manifest[] {
  const names = namesOf(settings);
  const { services } = settings;
  const beside = services === undefined ? undefined : servicesBeside(settings, services);
  return [
    claim(names.workspace, 'workspace', 'ReadWriteOnce', settings.workspaceSize, settings),
    ...(beside?.objects ?? []),
    pod(settings, beside),
  ];
}

function pod(settings: ManifestSettings, beside: Beside | undefined): Pod {
  const names = namesOf(settings);
  const { gracePeriod, hostAliases = [] } = beside ?? {};
  const initContainers = [
    ...(beside?.wantsClone ? [cloningContainer(settings)] : []),
    ...(beside?.initContainers ?? []),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(names.workspace, 'workspace', settings),
    spec: {
      ...buildingPod(settings, container(settings, beside), [
        { name: 'workspaces', persistentVolumeClaim: { claimName: names.workspace } },
        ...(beside?.volumes ?? []),
      ]),
      ...(initContainers.length === 0 ? {} : { initContainers }),
      ...(hostAliases.length === 0 ? {} : { hostAliases }),
      ...(gracePeriod === undefined ? {} : { terminationGracePeriodSeconds: gracePeriod }),
    },
  };
}

function container(settings: ManifestSettings, beside: Beside | undefined): Container {
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
  const { volumeMounts = [], ...more } = beside?.own ?? {};
  return {
    ...own,
    ...more,
    image: settings.prebuilt ?? own.image ?? '',
    startupProbe: { ...probe, ...STARTUP },
    readinessProbe: { ...probe, ...PROBE_SECONDS },
    volumeMounts: [WORKSPACES_MOUNT, ...(own.volumeMounts ?? []), ...volumeMounts],
  };
}

/** Clones before services start that mount files of the repository. */
function cloningContainer(settings: ManifestSettings): Container {
  const own = buildingContainer('clone', [{ name: 'ENVBUILDER_CLONE_ONLY', value: 'true' }], settings);
  return { ...own, volumeMounts: [WORKSPACES_MOUNT, ...(own.volumeMounts ?? [])] };
}
