import { existsSync } from 'node:fs';
import { readDefinition, realInside } from '../../context/repository.ts';
import type { Environment } from '../../core/environment.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { makeDirectories } from '../../core/make-directories.ts';
import { bytesOf, type ServiceFile } from '../../devcontainer/compose/service-values.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { isWorkspace } from '../../devcontainer/compose/ungranted-service.ts';
import type { WantedMount } from '../mounts.ts';
import type { ContainerFile } from '../spec.ts';
import type { UpProject } from './read.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Told of what cannot be mounted. */
type LeaveOut = (property: string, service: string, why: string) => void;

/** Who may read a file of a secret or config, where the Compose files do not say. */
const USUAL_MODE = 0o444;

/**
 * What a service mounts. Its own volumes have the name of the dev container before theirs; those with a name of their own,
 * and those of elsewhere, are shared with other containers of the user.
 * @param container the name of the dev container
 * @throws AppError DEVCONTAINER for sizes that are none
 */
export function serviceMounts(
  service: ProjectService,
  { project, own, folder, roots }: UpProject,
  container: string,
  leaveOut: LeaveOut,
): readonly WantedMount[] {
  const from = `the service ${service.name}`;
  const size = bytesOf(service.all.shm_size, 'shm_size', { service: service.all, whereOf: service.whereOf });
  return [
    ...(size === undefined ? [] : [memory('/dev/shm', `size=${size}`)]),
    ...service.volumes.flatMap(mountOf),
    ...service.tmpfs.map(({ target, options }) => memory(target, options)),
  ];

  function memory(target: string, options: string): WantedMount {
    return { type: 'tmpfs', source: '', target, readonly: false, from, ...tmpfsOptions(options) };
  }

  function mountOf(volume: ProjectService['volumes'][number]): readonly WantedMount[] {
    // The dev container has its workspace anyway.
    if (service === own && isWorkspace(volume, folder)) return [];
    const { type, source = '', target, readOnly: readonly = false } = volume;
    const property = `volumes: ${source === '' ? '' : `${source}:`}${target}`;
    if (type === 'tmpfs') return [memory(target, '')];
    if (type === 'bind') return bind(source, target, readonly, property);
    if (type !== 'volume') {
      leaveOut(property, service.name, `there are no mounts of the type ${type}`);
      return [];
    }
    if (source === '') return [{ type: 'volume', source: '', target, readonly, from }];
    const element: Mapping = project.elements('volumes')[source] ?? {};
    const options = Object(element.driver_opts) as Mapping;
    if (options.type === 'tmpfs') return [memory(target, String(options.o ?? ''))];
    if (
      String(options.o ?? '')
        .split(',')
        .includes('bind') &&
      typeof options.device === 'string'
    )
      return bind(options.device, target, readonly, property);
    const given = typeof element.name === 'string' ? element.name : undefined;
    const name = given ?? (element.external ? source : `${container}_${source}`);
    return [{ type: 'volume', source: name, target, readonly, from }];
  }

  function bind(source: string, target: string, readonly: boolean, property: string): readonly WantedMount[] {
    try {
      const inside = realInside(source, roots, { property });
      // As Compose does it in the short form, which most projects have.
      if (!existsSync(inside)) makeDirectories(inside, 0o755);
      return [{ type: 'bind', source: inside, target, readonly, from }];
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'OUTSIDE') throw error;
      leaveOut(property, service.name, 'it lies outside of the repository; --allow-outside DIR allows it');
      return [];
    }
  }
}

/** `size=64m,mode=1777`, as mount takes them; others are not known here. */
function tmpfsOptions(text: string): { readonly size?: number; readonly mode?: number } {
  const fields = new Map(
    text.split(',').map((field): [string, string] => {
      const [name = '', value = ''] = field.split('=', 2);
      return [name, value];
    }),
  );
  const size = bytesOf(fields.get('size'), 'tmpfs', NOWHERE);
  const mode = Number.parseInt(fields.get('mode') ?? '', 8);
  return { ...(size === undefined ? {} : { size }), ...(Number.isNaN(mode) ? {} : { mode }) };
}

const NOWHERE = { service: {}, whereOf: () => ({ path: 'tmpfs' }) };

/**
 * The secrets and configs of a service as files, which are on no disk.
 * @throws AppError DEVCONTAINER, OUTSIDE for what is not there, or cannot be read
 */
export function serviceFiles(
  service: ProjectService,
  { project, roots }: UpProject,
  env: Environment,
  leaveOut: LeaveOut,
): readonly ContainerFile[] {
  return (['secrets', 'configs'] as const).flatMap((kind) =>
    service[kind].flatMap((file) => {
      const content = contentOf(kind, file);
      const { target, mode = USUAL_MODE, uid = '0', gid = '0' } = file;
      if (content === undefined) return [];
      return [
        { target, content: content.toString('base64'), mode, uid: Number(uid) || 0, gid: Number(gid) || 0 },
      ];
    }),
  );

  function contentOf(kind: 'secrets' | 'configs', { source }: ServiceFile): Buffer | undefined {
    const element = project.elements(kind)[source];
    if (element === undefined)
      throw new AppError('DEVCONTAINER', `there is nothing called ${source} in ${kind}`, {
        where: service.whereOf(kind),
      });
    const { content, environment, file } = element;
    if (typeof content === 'string') return Buffer.from(content);
    if (typeof environment === 'string') return Buffer.from(env[environment] ?? '');
    if (typeof file !== 'string') {
      leaveOut(`${kind}: ${source}`, service.name, 'it has neither file, content nor environment');
      return undefined;
    }
    const where = project.whereOf([kind, source]);
    try {
      return readDefinition(file, roots, { property: `${kind}.${source}`, where, by: 'definition' });
    } catch (error) {
      throw toAppError(error, 'DEVCONTAINER', `cannot read ${file} of ${kind}`, { where });
    }
  }
}
