import { PROPERTIES } from './properties.ts';
import type { Merge } from './property-types.ts';
import type {
  DevcontainerConfig,
  GpuRequirements,
  HookName,
  HostRequirements,
  MetadataEntry,
  MountObject,
} from './types.ts';

type Values = readonly unknown[];
type Rule = (values: Values) => unknown;

/** One rule a kind of property; each gets the values in order, lowest first (Dev Container Specification, "Merge Logic"). */
const RULES: Readonly<Record<Merge, Rule>> = {
  any: (values) => values.some((value) => value === true),
  union: (values) => nonEmpty([...new Set(values.flat())]),
  collect: (values) => values,
  last: (values) => values.at(-1),
  'last-per-key': (values) => Object.assign({}, ...(values as object[])),
  mounts: (values) => nonEmpty(lastPerTarget(values.flat() as Mount[])),
  ports: (values) => nonEmpty([...new Set(values.flat().map(portName))].map(portOf)),
  requirements: (values) => largest(values as HostRequirements[]),
  'collect-per-key': (values) => collectPerKey(values as Record<string, unknown>[]),
};

/** The names under which lists of collected values stand in a merged configuration. */
const PLURAL: Readonly<Record<string, string>> = {
  entrypoint: 'entrypoints',
  onCreateCommand: 'onCreateCommands',
  updateContentCommand: 'updateContentCommands',
  postCreateCommand: 'postCreateCommands',
  postStartCommand: 'postStartCommands',
  postAttachCommand: 'postAttachCommands',
};

/** A configuration into which entries are merged; collected properties have a name in the plural. */
export type MergedConfig = Omit<MetadataEntry, 'customizations' | 'entrypoint' | HookName> &
  Omit<DevcontainerConfig, keyof MetadataEntry> & {
    readonly customizations?: Readonly<Record<string, readonly unknown[]>>;
    readonly entrypoints?: readonly string[];
  };

/**
 * Merges entries, lowest first, and adds what the configuration alone can say. The result has the shape that the
 * reference implementation prints as `mergedConfiguration`.
 * @param config the devcontainer.json itself, which is the last entry as well
 */
export function mergeConfig(config: DevcontainerConfig, entries: readonly MetadataEntry[]): MergedConfig {
  const rows = [...PROPERTIES, { name: 'entrypoint', merge: 'collect' as const }];
  const merged: Record<string, unknown> = { ...config };
  for (const { name, merge } of rows) {
    if (merge === undefined) continue;
    delete merged[name];
    const values = entries
      .map((entry) => (entry as Record<string, unknown>)[name])
      .filter((value) => value !== undefined && value !== null && value !== '');
    const value = RULES[merge](values);
    if (value === undefined || (name === 'entrypoint' && values.length === 0)) continue;
    merged[PLURAL[name] ?? name] = value;
  }
  return merged as MergedConfig;
}

type Mount = string | MountObject;

function lastPerTarget(mounts: readonly Mount[]): Mount[] {
  const targets = mounts.map(mountTarget);
  return mounts.filter((_, i) => targets.lastIndexOf(targets[i]) === i);
}

/** Where a mount goes, in either spelling. */
export function mountTarget(mount: Mount): string | undefined {
  if (typeof mount !== 'string') return mount.target;
  return mountField(mount, ['target', 'dst', 'destination']);
}

/** The value of a field of a mount as docker run takes it, under any of its names. */
export function mountField(mount: string, names: readonly string[]): string | undefined {
  const fields = mount.split(',').map((field) => field.split('='));
  return fields.find(([key]) => names.includes(key ?? ''))?.[1];
}

function portName(port: unknown): unknown {
  return typeof port === 'number' ? `localhost:${port}` : port;
}

function portOf(name: unknown): unknown {
  const [, port] = /^localhost:(\d+)$/.exec(String(name)) ?? [];
  return port === undefined ? name : Number(port);
}

function collectPerKey(objects: readonly Readonly<Record<string, unknown>>[]): object | undefined {
  const lists: Record<string, unknown[]> = {};
  for (const [key, value] of objects.flatMap((object) => Object.entries(object))) {
    lists[key] = [...(lists[key] ?? []), value];
  }
  return Object.keys(lists).length > 0 ? lists : undefined;
}

function largest(all: readonly HostRequirements[]): HostRequirements | undefined {
  const cpus = Math.max(0, ...all.map(({ cpus = 0 }) => cpus));
  const memory = largestSize(all.map((one) => one.memory));
  const storage = largestSize(all.map((one) => one.storage));
  const gpu = all.map((one) => one.gpu).reduce(largerGpu, undefined);
  if (!cpus && !memory && !storage && !gpu) return undefined;
  return {
    cpus,
    ...(memory ? { memory: `${memory}` } : {}),
    ...(storage ? { storage: `${storage}` } : {}),
    ...(gpu ? { gpu } : {}),
  };
}

type Gpu = HostRequirements['gpu'];

function largerGpu(a: Gpu, b: Gpu): Gpu {
  if (a === undefined || a === false) return b;
  if (b === undefined || b === false) return a;
  if (a === 'optional' && b === 'optional') return 'optional';
  const [first, second] = [a, b].map((gpu): GpuRequirements => (typeof gpu === 'object' ? gpu : {}));
  const cores = Math.max(first?.cores ?? 0, second?.cores ?? 0);
  const memory = largestSize([first?.memory, second?.memory]);
  return { ...(cores ? { cores } : {}), ...(memory ? { memory: `${memory}` } : {}) };
}

const UNITS: Readonly<Record<string, number>> = { t: 2 ** 40, g: 2 ** 30, m: 2 ** 20, k: 2 ** 10 };

function largestSize(texts: readonly (string | undefined)[]): number {
  return Math.max(0, ...texts.map(sizeOf));
}

/** The bytes of a size such as `4gb`; 0 for what is none. */
export function sizeOf(text: string | undefined): number {
  const [, digits = '0', unit = ''] = /^(\d+)([tgmk]?)b?$/.exec(text ?? '') ?? [];
  return Number(digits) * (UNITS[unit] ?? 1);
}

function nonEmpty<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length > 0 ? values : undefined;
}
