import { realpathSync } from 'node:fs';
import { isAbsolute, join, posix } from 'node:path';
import { digestOf, hexOf } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import { given } from '../core/given.ts';
import { parseDockerFlags } from '../devcontainer/docker-arguments.ts';
import type { MountObject } from '../devcontainer/types.ts';
import type { ContainerMount } from './spec.ts';
import { splitMount } from './split-mount.ts';

/** A mount that a definition or an option asks for. */
export interface WantedMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  /** What asks for it, for messages. */
  readonly from: string;
  /** Of a tmpfs. */
  readonly size?: number;
  readonly mode?: number;
}

/** A mount as docker run takes it with --mount, or as an object. */
export function mountOf(mount: string | MountObject, from: string): WantedMount | undefined {
  const fields = typeof mount === 'string' ? splitMount(mount) : new Map(Object.entries(mount));
  const field = (...names: string[]): string | undefined =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined) as string | undefined;
  const target = field('target', 'dst', 'destination');
  if (target === undefined || !isAbsolute(target)) return undefined;
  const flag = field('readonly', 'ro');
  return {
    type: field('type') ?? 'volume',
    source: field('source', 'src') ?? '',
    target,
    readonly: flag !== undefined && flag !== 'false' && flag !== '0',
    from,
  };
}

/** The mounts that flags of docker run ask for. */
export function mountsOfRunArgs(words: readonly string[], from: string): readonly WantedMount[] {
  return parseDockerFlags(words).flatMap(({ name, value = '' }) => {
    const found =
      name === '--mount'
        ? mountOf(value, from)
        : name === '--volume'
          ? mountOfVolume(value, from)
          : name === '--tmpfs'
            ? { type: 'tmpfs', source: '', target: value.split(':')[0]!, readonly: false, from }
            : undefined;
    return found ? [found] : [];
  });
}

/** `SOURCE:TARGET[:OPTIONS]`, or a target alone. */
function mountOfVolume(text: string, from: string): WantedMount | undefined {
  const [first = '', second, options = ''] = text.split(':');
  const [source, target] = second === undefined ? ['', first] : [first, second];
  if (!isAbsolute(target)) return undefined;
  return {
    type: isAbsolute(source) ? 'bind' : 'volume',
    source,
    target,
    readonly: options.split(',').includes('ro'),
    from,
  };
}

/**
 * The mounts that a container gets: the last one for each target, those above others before them. What cannot be mounted is
 * a warning, and left out.
 * @param places.volume where a named volume lies, @param places.own where volumes without a name do
 */
export function resolveMounts(
  wanted: readonly WantedMount[],
  places: { readonly volume: (name: string) => string; readonly own: string },
  emit: Emit,
): readonly ContainerMount[] {
  const targets = wanted.map(({ target }) => posix.normalize(target).replace(/(?<=.)\/+$/, ''));
  const last = wanted
    .map((mount, at) => ({ ...mount, target: targets[at]! }))
    .filter(({ target }, at) => targets.lastIndexOf(target) === at);
  const found = last.flatMap((mount): ContainerMount[] => {
    const { type, source, target, readonly, from, size, mode } = mount;
    const leaveOut = (why: string): [] => {
      const text = `nothing is mounted on ${target} (${from}): ${why}`;
      emit({ type: 'warning', code: 'DEVCONTAINER', text });
      return [];
    };
    if (!isAbsolute(target) || target === '/') return leaveOut('a target is an absolute path below the root');
    if (/^\/(?:proc|sys)(?:\/|$)/.test(target)) return leaveOut('what lies there is the kernel’s');
    if (type === 'tmpfs') return [{ type: 'tmpfs', target, ...given({ size, mode }) }];
    if (type === 'bind') {
      if (!isAbsolute(source)) return leaveOut(`its source ${JSON.stringify(source)} is no absolute path`);
      try {
        return [{ type: 'bind', source: realpathSync(source), target, readonly }];
      } catch (error) {
        return leaveOut((error as Error).message);
      }
    }
    if (type !== 'volume') return leaveOut(`there are no mounts of the type ${JSON.stringify(type)}`);
    if (source !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source))
      return leaveOut(`${JSON.stringify(source)} cannot be the name of a volume`);
    const directory =
      source === '' ? join(places.own, hexOf(digestOf(target)).slice(0, 32)) : places.volume(source);
    return [{ type: 'bind', source: directory, target, readonly, volume: true }];
  });
  return found.toSorted((a, b) => depthOf(a.target) - depthOf(b.target));
}

const depthOf = (path: string): number => path.split('/').length;
