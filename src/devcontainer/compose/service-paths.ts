import { resolve } from 'node:path';
import { isMapping, splitVolume } from './merge-service.ts';
import { OVERRIDE } from './yaml-file.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** A path of a Compose file; `~` is the home directory of nobody in particular here and stays. */
export function resolveFrom(base: string, path: string): string {
  return path.startsWith('~') ? path : resolve(base, path);
}

/** Whether the context of a build is a repository and not a directory. */
export function isRemote(context: string): boolean {
  return /^(https?|git|ssh):\/\/|^git@|^github\.com\/|^[\w-]+:/.test(context);
}

/** A service in long forms with its paths made absolute, so that it can be merged with one from another folder. */
export function absolutePaths(service: Mapping, base: string): Mapping {
  const change = (key: string, value: unknown): unknown => {
    if (isMapping(value) && OVERRIDE in value) {
      return { [OVERRIDE]: change(key, (value as Record<symbol, unknown>)[OVERRIDE]) };
    }
    if (key === 'build' && isMapping(value)) return buildPaths(value, base);
    if (key === 'env_file' && Array.isArray(value)) return value.map((file) => envFilePath(file, base));
    if (key === 'volumes' && Array.isArray(value)) return value.map((volume) => volumePath(volume, base));
    return value;
  };
  return Object.fromEntries(Object.entries(service).map(([key, value]) => [key, change(key, value)]));
}

function contextFrom(base: string, context: unknown): unknown {
  return typeof context !== 'string' || isRemote(context) ? context : resolveFrom(base, context);
}

function buildPaths(build: Mapping, base: string): Mapping {
  const { additional_contexts: contexts } = build;
  return {
    ...build,
    ...('context' in build ? { context: contextFrom(base, build.context) } : {}),
    ...(isMapping(contexts)
      ? {
          additional_contexts: Object.fromEntries(
            Object.entries(contexts).map(([name, context]) => [name, contextFrom(base, context)]),
          ),
        }
      : {}),
  };
}

function envFilePath(file: unknown, base: string): unknown {
  if (isMapping(file)) return { ...file, path: resolveFrom(base, String(file.path)) };
  return typeof file === 'string' ? resolveFrom(base, file) : file;
}

function volumePath(volume: unknown, base: string): unknown {
  if (isMapping(volume)) {
    const bind = volume.type === 'bind' && typeof volume.source === 'string';
    return bind ? { ...volume, source: resolveFrom(base, volume.source as string) } : volume;
  }
  if (typeof volume !== 'string') return volume;
  const { source, target, mode } = splitVolume(volume);
  if (source === undefined) return { type: 'volume', target };
  const isPath = /^[./~]/.test(source);
  const type = isPath ? 'bind' : 'volume';
  const readOnly = mode?.split(',').includes('ro') ? { read_only: true } : {};
  return { type, source: isPath ? resolveFrom(base, source) : source, target, ...readOnly };
}

/** A path of a service as it was written or made absolute, and the keys that it stands under. */
export interface ServicePath {
  readonly property: string;
  readonly value: string;
}

/** The paths of a service that are read for a dev container: of its build, and of its env files. */
export function namedPaths(service: Mapping): readonly ServicePath[] {
  const { build: maybeBuild, env_file: maybeFiles } = service;
  const [build, files] = [inner(maybeBuild), inner(maybeFiles)];
  const found: { readonly property: string; readonly value: unknown }[] = [];
  if (isMapping(build)) {
    found.push({ property: 'build.context', value: inner(build.context) });
    found.push({ property: 'build.dockerfile', value: inner(build.dockerfile) });
    const contexts = inner(build.additional_contexts);
    for (const [name, value] of Object.entries(isMapping(contexts) ? contexts : {}))
      found.push({ property: `build.additional_contexts.${name}`, value });
  }
  for (const file of Array.isArray(files) ? files : [])
    found.push({ property: 'env_file', value: isMapping(file) ? file.path : file });
  return found.filter((one): one is ServicePath => typeof one.value === 'string');
}

/** A value without the tag that has it replace others. */
function inner(value: unknown): unknown {
  return isMapping(value) && OVERRIDE in value ? (value as Record<symbol, unknown>)[OVERRIDE] : value;
}
