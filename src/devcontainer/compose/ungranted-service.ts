import { relative } from 'node:path';
import type { BuildForm } from '../build-source.ts';
import type { ReadConfig } from '../read-config.ts';
import type { Need, Ungranted } from '../types.ts';
import { PRIVILEGED } from '../ungranted.ts';
import type { ComposeService, ComposeVolume } from './service.ts';

interface KeyGroup {
  readonly keys: readonly string[];
  readonly why: string;
}

/** Keys of a service that a container that runs already cannot be given, and why. */
export const UNGRANTED_KEYS: readonly KeyGroup[] = [
  {
    keys: [
      'privileged',
      'cap_add',
      'cap_drop',
      'security_opt',
      'devices',
      'device_cgroup_rules',
      'gpus',
      'userns_mode',
      'cgroup',
      'cgroup_parent',
      'credential_spec',
    ],
    why: 'rights come from whoever starts the container',
  },
  {
    keys: [
      'network_mode',
      'networks',
      'ports',
      'extra_hosts',
      'dns',
      'dns_search',
      'dns_opt',
      'links',
      'external_links',
      'mac_address',
      'domainname',
    ],
    why: 'the container has its network already',
  },
  {
    keys: ['tmpfs', 'secrets', 'configs', 'volumes_from', 'read_only'],
    why: 'a running container cannot be given mounts',
  },
  {
    keys: [
      'shm_size',
      'sysctls',
      'ulimits',
      'pid',
      'ipc',
      'uts',
      'runtime',
      'group_add',
      'init',
      'oom_score_adj',
      'deploy',
    ],
    why: 'the limits and settings of the container are fixed already',
  },
  { keys: ['command', 'entrypoint'], why: 'the init command of envbuilder runs instead' },
];

/** Keys of a service that are honoured. */
export const GRANTED_KEYS: readonly string[] = [
  'image',
  'build',
  'environment',
  'env_file',
  'user',
  'platform',
  'extends',
];

/** What of a Compose service does not fit into one container that runs already. */
export function ungrantedOfService(
  service: ComposeService,
  name: string,
  { file, folder, config: { runServices } }: Pick<ReadConfig, 'file' | 'folder' | 'config'>,
): readonly Ungranted[] {
  const origin = `service ${name}`;
  const keys = Object.entries(service.all)
    .filter(([key, value]) => !isEmpty(value) && !isIdle(key, value))
    .flatMap(([property]) => {
      const group = UNGRANTED_KEYS.find(({ keys: names }) => names.includes(property));
      if (!group) return [];
      const { why } = group;
      const needs = needsOf(property, service.all[property]);
      if (needs === undefined) return [{ property, origin, why }];
      return needs.map((unless) => ({
        property: 'name' in unless && property !== 'privileged' ? `${property}: ${unless.name}` : property,
        ...{ origin, why, unless },
      }));
    });
  const volumes = service.volumes
    .filter((volume) => !isWorkspace(volume, folder))
    .map((volume) => ({
      property: `volumes: ${volume.target}`,
      origin,
      why: 'a running container cannot be given mounts',
      unless: { kind: 'mount', name: volume.target } as const,
    }));
  const others = service.otherServices.filter(isStarted).map((other) => ({
    property: runServices?.includes(other) ? `runServices: ${other}` : `services: ${other}`,
    origin: relative(folder, file),
    why: 'there is one container',
    // As in a pod, where other containers stand beside it and hosts are known by a file.
    unless: { kind: 'host', name: other } as const,
  }));
  return [...keys, ...volumes, ...others];

  /** The reference starts all services, or those that are named and what the service itself waits for. */
  function isStarted(other: string): boolean {
    const { depends_on: needed } = service.all;
    const names: readonly unknown[] = Array.isArray(needed) ? needed : Object.keys(Object(needed));
    return !runServices?.length || runServices.includes(other) || names.includes(other);
  }
}

/** What a key asks for that can be found out; undefined for keys of which nothing can. */
function needsOf(key: string, value: unknown): readonly Need[] | undefined {
  const words = (Array.isArray(value) ? value : [value]).map(String);
  switch (key) {
    case 'privileged':
      return [PRIVILEGED];
    case 'cap_add':
      return words.map((name) => ({ kind: 'capability', name }));
    case 'security_opt':
      return words.map((name) => ({ kind: 'security option', name }));
    case 'tmpfs':
      return words.map((word) => ({ kind: 'mount', name: word.split(':')[0]! }));
    case 'init':
      return [{ kind: 'init' }];
    case 'gpus':
      return [{ kind: 'gpu' }];
    default:
      return undefined;
  }
}

/** The volume of a service that brings the workspace, if there is one. */
export function workspaceVolume(
  { volumes }: ComposeService,
  workspace: string,
): Pick<BuildForm, 'workspaceMount'> {
  const volume = volumes.findLast((one) => isWorkspace(one, workspace));
  if (volume?.source === undefined) return {};
  return { workspaceMount: { source: volume.source, target: volume.target, workspace } };
}

/** The workspace is in the container anyway, whether a volume brings it or a folder around it. */
export function isWorkspace({ type, source }: ComposeVolume, workspace: string): boolean {
  if (type !== 'bind' || source === undefined) return false;
  const path = relative(source, workspace);
  return path === '' || !path.startsWith('..');
}

/** Whether a value asks for nothing. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Whether a command only keeps the container alive, as the init command does. */
export function isIdle(key: string, value: unknown): boolean {
  if (key !== 'command' && key !== 'entrypoint') return false;
  const text = Array.isArray(value) ? value.join(' ') : String(value);
  return /\bsleep\b|\btail -f\b|\bwhile\b/.test(text);
}
