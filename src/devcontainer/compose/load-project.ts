import { dirname, join } from 'node:path';
import { readDefinition } from '../../context/repository.ts';
import type { Environment } from '../../core/environment.ts';
import { AppError, toAppError, type Where } from '../../core/error.ts';
import { didYouMean } from '../../core/suggest.ts';
import { parseEnvFile } from './env-file.ts';
import { interpolateAll } from './interpolate.ts';
import { finishService, isMapping, mergeElements, mergeService, normalise } from './merge-service.ts';
import { absolutePaths, namedPaths, resolveFrom } from './service-paths.ts';
import { readYaml, type YamlFile } from './yaml-file.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Elements of the top level that a service names. */
export type ElementKind = 'volumes' | 'secrets' | 'configs' | 'networks';

/** A Compose project whose files have been read. */
export interface LoadedProject {
  /** The folder of its first file. */
  readonly folder: string;
  /** What its files call it. */
  readonly name?: string;
  /** The names of its services, in the order of the files. */
  readonly services: readonly string[];
  /** What `${NAME}` and names without a value stand for. */
  readonly env: Environment;
  /** A service put together. @throws AppError DEVCONTAINER when there is none of this name, or it is wrong */
  service(name: string, where: Where): MergedService;
  /** Elements of the top level by their names, put together; files of secrets and configs are absolute. */
  elements(kind: ElementKind): Mapping;
  /** Where a path of keys stands, in the last file that has it. */
  whereOf(path: readonly string[]): Where;
}

/** A service put together from all files, in long forms, with absolute paths. */
export interface MergedService {
  readonly name: string;
  readonly service: Mapping;
  /** The names of all services of the project, this one included. */
  readonly services: readonly string[];
  /** What `${NAME}` and names without a value stand for. */
  readonly env: Environment;
  /** Variables that were used and are not set. */
  readonly unset: readonly string[];
  /** Top-level elements of the files. */
  readonly topLevel: readonly string[];
  /** Where a path of the service stands in the files. */
  whereOfPath(property: string, path: string): Where | undefined;
}

export interface ProjectRequest {
  /** Absolute paths; the folder of the first is the project's. */
  readonly files: readonly string[];
  readonly env: Environment;
  /** Directories that files which the project names have to lie in. */
  readonly roots: readonly string[];
  /** Who names the files. */
  readonly by: 'definition' | 'operator';
  /** What names the files. */
  readonly where: Where;
}

const MOST_EXTENDS = 32;

/**
 * Reads a Compose project: files merged in order, `include` and `extends` followed, variables replaced.
 * @throws AppError DEVCONTAINER, OUTSIDE
 */
export function loadProject(request: ProjectRequest): LoadedProject {
  const folder = dirname(request.files[0]!);
  const { roots, by } = request;
  const unset = new Set<string>();
  const places = new Map<string, Where>();
  const named = { property: 'dockerComposeFile', where: request.where, by };
  const files = request.files.map((path) => readYaml(path, roots, named));
  const env = { ...readDotEnv(folder, request), ...request.env };
  const included = files.flatMap((file) => includedFiles(file, folder, { env, roots }));
  const all = [...included, ...files.map((file) => ({ file, base: folder, env }))];
  const services = [...new Set(all.flatMap(({ file }) => Object.keys(servicesOf(file))))];
  const name = files.map(({ value }) => value.name).findLast((one) => typeof one === 'string');
  return {
    folder,
    ...(name === undefined ? {} : { name: replaced(name, { env }, () => request.where) as string }),
    services,
    env,
    service: (service, where) => {
      if (!services.includes(service)) throw noService(service, services, where);
      const parts = all
        .filter(({ file }) => Object.hasOwn(servicesOf(file), service))
        .map((source) => readService(source, service, 0));
      return {
        name: service,
        service: finishService(parts.reduce(mergeService, {})),
        services,
        env,
        unset: [...unset],
        topLevel: [...new Set(files.flatMap(({ value }) => Object.keys(value)))],
        whereOfPath: (property, path) => places.get(placeKey(property, path)),
      };
    },
    elements: (kind) => mergeElements(all.map((source) => readElements(source, kind))),
    whereOf: (path) => {
      const file = all.findLast((one) => hasPath(one.file.value, path))?.file;
      return file?.whereOf(path) ?? request.where;
    },
  };

  function replaced(value: unknown, visible: { readonly env: Environment }, whereOf: YamlFile['whereOf']) {
    return interpolateAll(value, { ...visible, onUnset: (variable) => unset.add(variable) }, whereOf);
  }

  function readElements({ file, base, env: visible }: Source, kind: ElementKind): Mapping {
    const raw = file.value[kind];
    if (!isMapping(raw)) return {};
    const elements = replaced(raw, { env: visible }, (path) => file.whereOf([kind, ...path])) as Mapping;
    return Object.fromEntries(
      Object.entries(elements).map(([element, value]) => [element, withAbsoluteFile(value ?? {}, base)]),
    );
  }

  function readService({ file, base, env: visible }: Source, name: string, depth: number): Mapping {
    const path = ['services', name];
    const raw = servicesOf(file)[name];
    if (!isMapping(raw)) {
      throw new AppError('DEVCONTAINER', `the service ${name} must be a mapping`, {
        where: file.whereOf(path),
      });
    }
    if (depth > MOST_EXTENDS) {
      throw new AppError('DEVCONTAINER', `the service ${name} extends itself`, { where: file.whereOf(path) });
    }
    const inFile = (inner: readonly (string | number)[]) => file.whereOf([...path, ...inner]);
    const { extends: from, ...own } = replaced(raw, { env: visible }, inFile) as Mapping;
    const service = absolutePaths(normalise(own), base);
    for (const { property, value } of namedPaths(service))
      places.set(placeKey(property, value), file.whereOf([...path, ...property.split('.')]));
    if (from === undefined || from === null) return service;
    return mergeService(readBase(from, { file, base, env: visible }, name, depth), service);
  }

  function readBase(from: unknown, source: Source, name: string, depth: number): Mapping {
    const where = source.file.whereOf(['services', name, 'extends']);
    const service = typeof from === 'string' ? from : isMapping(from) ? from.service : undefined;
    if (typeof service !== 'string') {
      throw new AppError('DEVCONTAINER', `${name} extends no service that is named`, { where });
    }
    const named = isMapping(from) && typeof from.file === 'string' ? from.file : undefined;
    const path = named === undefined ? undefined : resolveFrom(source.base, named);
    const base =
      path === undefined
        ? source
        : {
            ...source,
            file: readYaml(path, roots, { property: 'extends.file', where, by: 'definition' }),
            base: dirname(path),
          };
    if (Object.hasOwn(servicesOf(base.file), service)) return readService(base, service, depth + 1);
    const other =
      named === undefined ? all.find(({ file }) => Object.hasOwn(servicesOf(file), service)) : undefined;
    if (other) return readService(other, service, depth + 1);
    throw new AppError('DEVCONTAINER', `${name} extends ${service}, which is not in ${base.file.path}`, {
      where,
    });
  }
}

interface Source {
  readonly file: YamlFile;
  /** The directory that paths are relative to. */
  readonly base: string;
  readonly env: Environment;
}

function noService(service: string, services: readonly string[], where: Where): AppError {
  return new AppError('DEVCONTAINER', `there is no service ${service} in the Compose files`, {
    where,
    hint: services.length === 0 ? 'they have no services at all' : didYouMean(service, services),
  });
}

function hasPath(value: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  return isMapping(value) && Object.hasOwn(value, key) && hasPath(value[key], rest);
}

function withAbsoluteFile(element: unknown, base: string): unknown {
  const isFile = isMapping(element) && typeof element.file === 'string';
  return isFile ? { ...element, file: resolveFrom(base, element.file as string) } : element;
}

function servicesOf({ value }: YamlFile): Mapping {
  return isMapping(value.services) ? value.services : {};
}

function placeKey(property: string, path: string): string {
  return `${property}\0${path}`;
}

interface Visible {
  readonly env: Environment;
  readonly roots: readonly string[];
}

function includedFiles(file: YamlFile, project: string, { env, roots }: Visible): Source[] {
  const includes = Array.isArray(file.value.include) ? file.value.include : [];
  return includes.flatMap((include, i) => {
    const where = file.whereOf(['include', i]);
    const replaced = interpolateAll(include, { env, onUnset: () => {} }, () => where);
    const paths = isMapping(replaced) ? [replaced.path].flat() : [replaced];
    return paths.flatMap((named) => {
      const path = resolveFrom(project, String(named));
      const directory =
        isMapping(replaced) && typeof replaced.project_directory === 'string'
          ? resolveFrom(project, replaced.project_directory)
          : dirname(path);
      const inner = readYaml(path, roots, { property: 'include', where, by: 'definition' });
      const visible = { ...readDotEnv(directory, { env, roots, where }), ...env };
      return [
        ...includedFiles(inner, directory, { env: visible, roots }),
        { file: inner, base: directory, env: visible },
      ];
    });
  });
}

function readDotEnv(folder: string, { env, roots, where }: Visible & { readonly where: Where }): Environment {
  const path = join(folder, '.env');
  const named = { property: 'the file .env of the Compose project', where, by: 'operator' } as const;
  try {
    return parseEnvFile(readDefinition(path, roots, named).toString('utf8'), env, where);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return {};
    throw toAppError(error, 'DEVCONTAINER', `cannot read the env file ${path}`, { where });
  }
}
