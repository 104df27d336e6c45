import { isIP } from 'node:net';
import { createNotes, type Notes } from '../../devcontainer/compose/notes.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { isEmpty, isIdle } from '../../devcontainer/compose/ungranted-service.ts';
import type { Container, Manifest, ManifestSettings, PodSpec, ServiceSettings } from '../types.ts';
import { COMPOSE_KEYS, NOT_OWN } from './compose-keys.ts';
import { allowedCapabilities, containerPorts, serviceContainer } from './container.ts';
import { createMounts } from './mounts.ts';
import { probesOf } from './probes.ts';

type HostAliases = NonNullable<PodSpec['hostAliases']>;

/** What services add to the pod of a workspace. */
export interface Beside {
  /** In the order of their starts: sidecars, and those that run to their end. */
  readonly initContainers: readonly Container[];
  readonly hostAliases: HostAliases;
  readonly volumes: NonNullable<PodSpec['volumes']>;
  /** Claims and ConfigMaps. */
  readonly objects: readonly Manifest[];
  /** Of the dev container. */
  readonly own: Pick<Container, 'volumeMounts' | 'ports'>;
  /** Whether a container mounts files of the repository, which have to be there before it starts. */
  readonly wantsClone: boolean;
  readonly gracePeriod?: number;
  /** What is not held, and what is to be done before. */
  readonly notes: readonly string[];
}

/** Longer than this, Kubernetes has to be told. */
const USUAL_GRACE_PERIOD = 30;
const LOCALHOST = '127.0.0.1';
const HOST_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const MOST_OF_HOST_NAME = 253;
/** Network modes that mean the network that there is. */
const SHARED = /^(?:service:.*|bridge|default|)$/;
/** Why a key of the dev container has no effect on it. */
const OWN = 'the dev container builds and starts itself, and --limits says what it may use';

/**
 * The services of a Compose project beside the dev container of a pod.
 * @throws AppError DEVCONTAINER for a service without an image, and what cannot be read; OUTSIDE
 */
export function servicesBeside(settings: ManifestSettings, services: ServiceSettings): Beside {
  const notes = createNotes('in the pod');
  const mounts = createMounts(settings, services, notes);
  const all = services.project.services;
  const others = all.filter(({ name }) => name !== services.own);
  const own = all.find(({ name }) => name === services.own)!;
  const waited = (name: string, condition: string): boolean =>
    all.some(({ dependsOn }) => dependsOn.get(name) === condition);
  for (const service of all) noteKeys(service, services, notes);
  const initContainers = others.map((service): Container => {
    const container = serviceContainer(service, services, notes);
    const volumeMounts = mounts.of(service);
    const mounted = {
      ...container,
      ...(volumeMounts.length === 0 ? {} : { volumeMounts: [...volumeMounts] }),
    };
    // The API allows no probes for what runs to its end.
    if (waited(service.name, 'service_completed_successfully')) return mounted;
    const { healthCheck } = service;
    const awaited = waited(service.name, 'service_healthy');
    const probes = typeof healthCheck === 'object' ? probesOf(healthCheck, awaited) : {};
    return { ...mounted, restartPolicy: 'Always', ...probes };
  });
  noteConditions(all, services, notes);
  notePorts(all, notes);
  allowedCapabilities(own, notes);
  const ownMounts = mounts.of(own);
  const ownPorts = containerPorts(own);
  const gracePeriod = Math.ceil(Math.max(0, ...all.map(({ stopGracePeriod = 0 }) => stopGracePeriod)));
  return {
    initContainers,
    hostAliases: hostAliases(all, notes),
    volumes: [...mounts.volumes()],
    objects: mounts.objects(),
    own: {
      ...(ownMounts.length === 0 ? {} : { volumeMounts: [...ownMounts] }),
      ...(ownPorts.length === 0 ? {} : { ports: ownPorts }),
    },
    wantsClone: mounts.wantsClone(),
    ...(gracePeriod > USUAL_GRACE_PERIOD ? { gracePeriod } : {}),
    notes: notes.list(),
  };
}

/** All names of all services: in a pod they are one host. */
function hostAliases(all: readonly ProjectService[], notes: Notes): HostAliases {
  const byAddress = new Map<string, Set<string>>();
  const add = (service: ProjectService, ip: string, name: string, property: string): void => {
    if (name.length > MOST_OF_HOST_NAME || !HOST_NAME.test(name))
      notes.add(
        `${property} ${name}`,
        service.name,
        'a pod knows hosts by small letters, digits, "-" and "."',
      );
    else byAddress.set(ip, (byAddress.get(ip) ?? new Set()).add(name));
  };
  for (const service of all) {
    for (const name of service.hostNames) add(service, LOCALHOST, name, 'the name');
    for (const link of [service.all.links ?? []].flat().map(String)) {
      const [, alias] = link.split(':');
      if (alias) add(service, LOCALHOST, alias, 'links:');
    }
    for (const [name, ip] of service.extraHosts) {
      if (isIP(ip) === 0) notes.add(`extra_hosts: ${name}:${ip}`, service.name, 'that is no address');
      else add(service, ip, name, 'extra_hosts:');
    }
  }
  return [...byAddress].map(([ip, names]) => ({ ip, hostnames: [...names] }));
}

/** Conditions that cannot be waited for. */
function noteConditions(all: readonly ProjectService[], { own }: ServiceSettings, notes: Notes): void {
  for (const { name, dependsOn } of all)
    for (const [other, condition] of dependsOn) {
      if (other === own)
        notes.add(
          `depends_on: ${other}`,
          name,
          'services start before the dev container, which may use them',
        );
      const { healthCheck } = all.find((service) => service.name === other) ?? {};
      if (condition === 'service_healthy' && other !== own && typeof healthCheck !== 'object')
        notes.add(
          `depends_on: ${other} is healthy`,
          name,
          `${other} has no health check in the Compose files, and what its image says of one is not known`,
        );
    }
}

/** Two services that want one port of the network that they share. */
function notePorts(all: readonly ProjectService[], notes: Notes): void {
  const users = new Map<string, string[]>();
  for (const service of all)
    for (const port of listenedPorts(service)) users.set(port, [...(users.get(port) ?? []), service.name]);
  for (const [port, names] of users)
    if (names.length > 1)
      notes.toDo(
        `a conflict: ${names.join(' and ')} listen on port ${port}, and a pod has one network; have one of them listen on another`,
      );
}

/** What a service listens on, as far as its ports and its health check tell. */
function listenedPorts(service: ProjectService): ReadonlySet<string> {
  const told = containerPorts(service).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  const { healthCheck } = service;
  const words = typeof healthCheck === 'object' ? healthCheck.command.join(' ') : '';
  const asked = [...words.matchAll(/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{1,5})\b/g)];
  return new Set([...told, ...asked.map(([, port]) => `${Number(port)}/TCP`)]);
}

/** Keys that say something and have no effect. */
function noteKeys(service: ProjectService, { own }: ServiceSettings, notes: Notes): void {
  const { name, all } = service;
  for (const [key, value] of Object.entries(all)) {
    if (isEmpty(value) || key.startsWith('x-')) continue;
    const row = COMPOSE_KEYS.find(({ keys }) => keys.includes(key));
    if (name === own && NOT_OWN.includes(key)) {
      if (!isIdle(key, value)) notes.add(key, name, OWN);
    } else if (row === undefined) notes.add(key, name, 'it is not known here');
    else if (row.held === 'no' && key !== 'build') notes.add(key, name, row.text);
  }
  const mode = String(all.network_mode ?? '');
  if (!SHARED.test(mode))
    notes.add(`network_mode: ${mode}`, name, 'the pod has one network, which all share');
  const restart = String(all.restart ?? '');
  if (/^(?:no|on-failure)/.test(restart) && name !== own)
    notes.add(`restart: ${restart}`, name, 'it is started again whenever it ends');
  const { replicas } = Object(all.deploy) as { readonly replicas?: unknown };
  for (const [key, count] of Object.entries({ scale: all.scale, 'deploy.replicas': replicas }))
    if (count !== undefined && Number(count) !== 1)
      notes.add(`${key}: ${String(count)}`, name, 'there is one of it');
}
