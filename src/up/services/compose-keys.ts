import type { KeyRow } from '../../devcontainer/compose/key-row.ts';
import type { Notes } from '../../devcontainer/compose/notes.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { isEmpty } from '../../devcontainer/compose/ungranted-service.ts';
import type { UpProject } from './read.ts';

/** Every key of the Compose Specification, and what becomes of it in `up`, as docs/devcontainer-support.md lists them. */
export const UP_KEYS: readonly KeyRow[] = [
  {
    keys: ['image', 'build', 'platform'],
    held: 'yes',
    text: 'Each service has files of its own, from its image or from what its Dockerfile builds, with the cache of the dev container.',
  },
  {
    keys: ['command', 'entrypoint', 'working_dir', 'environment', 'env_file', 'user', 'hostname', 'init'],
    held: 'yes',
    text: 'As in Compose. The command of the dev container runs beside what waits in it, unless `overrideCommand` is true.',
  },
  {
    keys: ['container_name', 'links', 'networks', 'extra_hosts', 'expose', 'ports', 'network_mode'],
    held: 'partly',
    text: 'All containers have the network of the machine: names and aliases of services, and `host-gateway`, lead to 127.0.0.1, and what listens listens on the machine. Ports are not moved to other numbers, and bound to no address. `none` is not held.',
  },
  {
    keys: ['depends_on'],
    held: 'yes',
    text: 'With all three conditions.',
  },
  {
    keys: ['healthcheck'],
    held: 'partly',
    text: 'Asked by `up` while a service or the dev container waits for it; that of an image too. Nobody asks later.',
  },
  {
    keys: ['restart', 'stop_signal', 'stop_grace_period'],
    held: 'partly',
    text: 'Of all services but the dev container. A start of the machine starts nothing; the next `up` does.',
  },
  {
    keys: ['volumes', 'tmpfs', 'shm_size'],
    held: 'partly',
    text: 'Volumes are kept as `CONTAINER_VOLUME`, those with a `name` and external ones under that. Files and folders have to lie in the repository, or where `--allow-outside` says. There are no drivers.',
  },
  {
    keys: ['secrets', 'configs'],
    held: 'partly',
    text: 'Files in memory, which nobody can write, as they are when the container starts. External ones are not held.',
  },
  {
    keys: ['cap_add', 'cap_drop', 'privileged'],
    held: 'yes',
    text: 'As far as whoever runs `up` has rights: those of an ordinary user end at their own namespace.',
  },
  {
    keys: ['profiles', 'extends'],
    held: 'yes',
    text: 'Services of profiles that COMPOSE_PROFILES does not name, and those that `runServices` leaves out, are not started.',
  },
  {
    keys: [
      'annotations',
      'attach',
      'develop',
      'labels',
      'label_file',
      'logging',
      'pull_policy',
      'stdin_open',
      'tty',
    ],
    held: 'nothing',
    text: 'For Compose and its engine. What a service says is in a file that `envbuilder list --output json` names.',
  },
  {
    keys: [
      'mem_limit',
      'mem_reservation',
      'mem_swappiness',
      'memswap_limit',
      'cpus',
      'cpu_count',
      'cpu_percent',
      'cpu_shares',
      'cpu_period',
      'cpu_quota',
      'cpu_rt_runtime',
      'cpu_rt_period',
      'cpuset',
      'blkio_config',
      'pids_limit',
      'deploy',
      'scale',
      'oom_score_adj',
      'oom_kill_disable',
      'storage_opt',
      'ulimits',
      'sysctls',
      'cgroup',
      'cgroup_parent',
    ],
    held: 'no',
    text: 'a container has no limits here, and there is one of it',
  },
  {
    keys: [
      'devices',
      'device_cgroup_rules',
      'gpus',
      'userns_mode',
      'credential_spec',
      'isolation',
      'runtime',
      'group_add',
      'pid',
      'ipc',
      'uts',
      'use_api_socket',
      'security_opt',
      'read_only',
    ],
    held: 'no',
    text: 'each container has namespaces of its own, its files can be written, and there is no filter of system calls',
  },
  {
    keys: ['dns', 'dns_search', 'dns_opt', 'domainname', 'mac_address', 'external_links'],
    held: 'no',
    text: 'the network is that of the machine',
  },
  {
    keys: ['post_start', 'pre_stop'],
    held: 'no',
    text: 'a service has no hooks here',
  },
  {
    keys: ['volumes_from', 'models', 'provider', 'driver_opts'],
    held: 'no',
    text: 'there is nothing like it here',
  },
];

/** Keys that other services have, and the dev container does not. */
const NOT_OWN: readonly string[] = ['healthcheck', 'restart', 'stop_signal', 'stop_grace_period'];
/** What a service may ask of how many there are of it: one. */
const ONE: readonly string[] = ['scale'];

/** Notes what the services of a project ask for and do not get. */
export function noteKeys({ project, own }: UpProject, notes: Notes): void {
  for (const service of project.services) {
    const { name, all } = service;
    for (const [key, value] of Object.entries(all)) {
      if (isEmpty(value) || key.startsWith('x-') || (ONE.includes(key) && Number(value) === 1)) continue;
      const row = UP_KEYS.find(({ keys }) => keys.includes(key));
      if (row === undefined) notes.add(key, name, 'it is not known here');
      else if (row.held === 'no') notes.add(key, name, row.text);
      else if (service === own && NOT_OWN.includes(key) && !isNoRestart(key, value))
        notes.add(key, name, 'nobody watches the dev container; up starts it again');
    }
    if (all.network_mode === 'none')
      notes.add('network_mode: none', name, 'it has the network of the machine');
    notePorts(service, notes);
    if (!['service_started', undefined].includes(service.dependsOn.get(own.name)))
      notes.add(`depends_on: ${own.name}`, name, 'nobody asks the dev container how it is');
    if (service.oddBuildKeys.length > 0)
      notes.add(
        service.oddBuildKeys.map((key) => `build.${key}`).join(', '),
        name,
        'builds have nothing like it',
      );
  }
}

function isNoRestart(key: string, value: unknown): boolean {
  return key === 'restart' && (value === 'no' || value === 'unless-stopped');
}

function notePorts({ name, ports }: ProjectService, notes: Notes): void {
  for (const { target, published, hostIp } of ports) {
    if (published !== undefined && published !== String(target))
      notes.add(`ports: ${published}:${target}`, name, `it listens on port ${target} of this machine`);
    if (hostIp !== undefined && hostIp !== '0.0.0.0')
      notes.add(
        `ports: ${hostIp}:…:${target}`,
        name,
        'the service itself decides on which addresses it listens',
      );
  }
}
