import { join, relative } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { Notes } from '../../devcontainer/compose/notes.ts';
import { bytesOf } from '../../devcontainer/compose/service-values.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { namesOf } from '../common.ts';
import type { Container, Manifest, ManifestSettings, PodSpec, ServiceSettings } from '../types.ts';
import { claim } from '../volumes.ts';
import { configMapOf, secretOf } from './files.ts';
import { bytesQuantity, dnsLabel } from './quantities.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type Mount = NonNullable<Container['volumeMounts']>[number];
type Mapping = Readonly<Record<string, unknown>>;

/** Where workspaces lie in the dev container. */
export const WORKSPACES = '/workspaces';

/** A claim may have a directory of its own, lost+found, and databases want an empty one. */
const IN_CLAIM = 'data';

/** The volumes of a pod that services mount, and the objects behind them. */
export interface Mounts {
  /** Where a service has what it asks for. */
  of(service: ProjectService): readonly Mount[];
  /** What all services that were asked about mount, each once. */
  volumes(): readonly Volume[];
  objects(): readonly Manifest[];
  /** Whether one of them mounts something of the repository. */
  wantsClone(): boolean;
}

/** Finds the volumes of services; what cannot be mounted is noted. */
export function createMounts(settings: ManifestSettings, services: ServiceSettings, notes: Notes): Mounts {
  const volumes = new Map<string, Volume>();
  const objects = new Map<string, Manifest>();
  let cloned = false;
  const workspace = namesOf(settings).workspace;
  const { project, own, repository, checkout } = services;

  return {
    of: (service) => {
      const found = [
        ...service.volumes.flatMap((volume) => volumeMount(service, volume)),
        ...tmpfsMounts(service),
        ...fileMounts(service),
      ];
      // The API takes one mount for each place; in Compose the later one counts.
      return [...new Map(found.map((mount) => [mount.mountPath, mount])).values()];
    },
    volumes: () => [...volumes.values()],
    objects: () => [...objects.values()],
    wantsClone: () => cloned,
  };

  function volumeMount(service: ProjectService, volume: ProjectService['volumes'][number]): readonly Mount[] {
    const { type, source, target, readOnly } = volume;
    const property = `volumes: ${source === undefined ? '' : `${source}:`}${target}`;
    if (!isPlace(target)) {
      notes.add(property, service.name, 'that is no place in a container');
      return [];
    }
    if (service.name === own && isBelow(WORKSPACES, target)) {
      if (type !== 'bind')
        notes.add(property, service.name, 'it lies in the workspace, whose own volume keeps it');
      return [];
    }
    const mode = readOnly ? { readOnly: true } : {};
    if (type === 'bind') return bindMount(service, { property, source: source ?? '', target, mode });
    if (type === 'tmpfs') return [memoryMount(service, target, undefined)];
    if (type !== 'volume') {
      notes.add(property, service.name, `a pod has no mount of type ${type}`);
      return [];
    }
    if (source === undefined) {
      const name = dnsLabel(`${service.name}-${target}`);
      volumes.set(name, { name, emptyDir: {} });
      return [{ name, mountPath: target, ...mode }];
    }
    return namedMount(service, { source, target, mode });
  }

  function bindMount(service: ProjectService, { property, source, target, mode }: Bind): readonly Mount[] {
    const path = relative(repository, source);
    if (path === '..' || path.startsWith('../') || !source.startsWith('/')) {
      notes.add(property, service.name, 'it is a place of the host, outside of the repository');
      return [];
    }
    // The workspace is in the dev container anyway.
    if (service.name === own && isBelow(source, services.folder)) return [];
    cloned = true;
    return [{ name: 'workspaces', mountPath: target, subPath: join(checkout, path), ...mode }];
  }

  function namedMount(service: ProjectService, { source, target, mode }: Named): readonly Mount[] {
    const element: Mapping = project.elements('volumes')[source] ?? {};
    const options = isMapping(element.driver_opts) ? element.driver_opts : {};
    if (options.type === 'tmpfs') return [memoryMount(service, target, options.o, source)];
    if (options.o === 'bind' && typeof options.device === 'string') {
      const property = `volumes: ${source} on ${options.device}`;
      return bindMount(service, { property, source: options.device, target, mode });
    }
    if (element.driver !== undefined && element.driver !== 'local')
      notes.add(`volumes: driver ${String(element.driver)}`, service.name, 'a claim is there instead');
    if (Object.keys(options).length > 0)
      notes.add(`volumes: driver_opts of ${source}`, service.name, 'a claim is there instead');
    const name = dnsLabel(`volume-${source}`);
    const isExternal = element.external === true || isMapping(element.external);
    const claimName = isExternal
      ? String(element.name ?? (isMapping(element.external) ? element.external.name : undefined) ?? source)
      : `${workspace}-${dnsLabel(source)}`;
    volumes.set(name, { name, persistentVolumeClaim: { claimName } });
    if (isExternal) return [{ name, mountPath: target, ...mode }];
    objects.set(
      `claim ${claimName}`,
      claim(claimName, 'workspace', 'ReadWriteOnce', services.volumeSize, settings),
    );
    return [{ name, mountPath: target, subPath: IN_CLAIM, ...mode }];
  }

  function tmpfsMounts(service: ProjectService): readonly Mount[] {
    const shm = bytesOf(service.all.shm_size, 'shm_size', { service: service.all, whereOf: service.whereOf });
    return [
      ...service.tmpfs
        .filter(({ target }) => isPlace(target))
        .map(({ target, options }) => memoryMount(service, target, options)),
      ...(shm === undefined ? [] : [memoryMount(service, '/dev/shm', `size=${shm}`)]),
    ];
  }

  /** @param volume the name of a volume that services share */
  function memoryMount(service: ProjectService, target: string, options: unknown, volume?: string): Mount {
    const name = dnsLabel(volume === undefined ? `${service.name}-${target}` : `volume-${volume}`);
    const [, size] = /(?:^|,)size=([^,]+)/.exec(String(options ?? '')) ?? [];
    const bytes = bytesOf(size, 'tmpfs', { service: service.all, whereOf: service.whereOf });
    const limit = bytes === undefined ? {} : { sizeLimit: bytesQuantity(bytes) };
    volumes.set(name, { name, emptyDir: { medium: 'Memory', ...limit } });
    return { name, mountPath: target };
  }

  function fileMounts(service: ProjectService): readonly Mount[] {
    const files = (kind: 'secrets' | 'configs') =>
      service[kind].map((file) => {
        const element = project.elements(kind)[file.source];
        if (element === undefined)
          throw new AppError('DEVCONTAINER', `there is nothing called ${file.source} in ${kind}`, {
            where: service.whereOf(kind),
          });
        const asked = { ...file, element, settings, services, notes };
        const { volume, object, key } = kind === 'secrets' ? secretOf(asked) : configMapOf(asked);
        volumes.set(volume.name, volume);
        if (object !== undefined) objects.set(`file ${object.metadata?.name}`, object);
        return { name: volume.name, mountPath: file.target, subPath: key, readOnly: true };
      });
    return [...files('secrets'), ...files('configs')];
  }
}

interface Named {
  readonly source: string;
  readonly target: string;
  readonly mode: { readonly readOnly?: boolean };
}

interface Bind extends Named {
  readonly property: string;
}

/** What the API takes as the place of a mount. */
function isPlace(target: string): boolean {
  return target.startsWith('/') && target !== '/' && !target.includes(':');
}

/** Whether a path is a directory, or lies in it. */
function isBelow(directory: string, path: string): boolean {
  const below = relative(directory, path);
  return below !== '..' && !below.startsWith('../');
}

function isMapping(value: unknown): value is Mapping {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
