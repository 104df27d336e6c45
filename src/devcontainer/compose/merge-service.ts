import { OVERRIDE, RESET } from './yaml-file.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Keys of a service whose list of `KEY=value` and mapping forms mean the same. */
const MAPPINGS: ReadonlySet<string> = new Set([
  'environment',
  'labels',
  'args',
  'additional_contexts',
  'annotations',
  'sysctls',
]);

/** Keys whose list of names is a mapping from names to what is said of them. */
const NAMED_LISTS: ReadonlySet<string> = new Set(['depends_on', 'networks']);
const STARTED = { condition: 'service_started' };

/** Keys whose list is replaced and not added to. */
const REPLACED: ReadonlySet<string> = new Set(['command', 'entrypoint', 'test']);

/** Merges a service over another (Compose Specification, "Merge Compose files"). */
export function mergeService(base: Mapping, over: Mapping): Mapping {
  return mergeMapping(normalise(base), normalise(over));
}

/** Merges elements of the top level of several files, and takes the tags away. */
export function mergeElements(files: readonly Mapping[]): Mapping {
  return untag(files.reduce(mergeMapping, {})) as Mapping;
}

/** A service in its long forms. */
export function normalise(service: Mapping): Mapping {
  return Object.fromEntries(
    Object.entries(service).map(([key, value]) => {
      if (key === 'build')
        return [key, typeof value === 'string' ? { context: value } : normaliseInner(value)];
      if (Array.isArray(value) && NAMED_LISTS.has(key)) {
        const inner = key === 'depends_on' ? STARTED : null;
        return [key, Object.fromEntries(value.map((name) => [String(name), inner]))];
      }
      if (key === 'env_file' && (typeof value === 'string' || isMapping(value))) return [key, [value]];
      return [key, MAPPINGS.has(key) ? asMapping(value) : value];
    }),
  );
}

function normaliseInner(value: unknown): unknown {
  if (!isMapping(value) || OVERRIDE in value) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, MAPPINGS.has(key) ? asMapping(item) : item]),
  );
}

function asMapping(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(
    value.map((item) => {
      const text = String(item);
      const equals = text.indexOf('=');
      return equals < 0 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function mergeMapping(base: Mapping, over: Mapping): Mapping {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === RESET) delete merged[key];
    else if (isMapping(value) && OVERRIDE in value)
      merged[key] = (value as Record<symbol, unknown>)[OVERRIDE];
    else merged[key] = mergeValue(key, merged[key], value);
  }
  return merged;
}

/** A service without tags and in its long forms: what is left when everything has been merged. */
export function finishService(service: Mapping): Mapping {
  return normalise(untag(service) as Mapping);
}

function untag(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== RESET).map(untag);
  if (!isMapping(value)) return value;
  if (OVERRIDE in value) return untag((value as Record<symbol, unknown>)[OVERRIDE]);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== RESET)
      .map(([key, item]) => [key, untag(item)]),
  );
}

function mergeValue(key: string, base: unknown, over: unknown): unknown {
  if (isMapping(base) && isMapping(over)) return mergeMapping(base, over);
  if (!Array.isArray(base) || !Array.isArray(over) || REPLACED.has(key)) return over ?? base;
  if (key !== 'volumes') return [...base, ...over];
  const targets = new Set(over.map(volumeTarget));
  return [...base.filter((volume) => !targets.has(volumeTarget(volume))), ...over];
}

function volumeTarget(volume: unknown): unknown {
  return isMapping(volume) ? volume.target : splitVolume(String(volume)).target;
}

/** `source:target:mode`, or a target alone. */
export function splitVolume(text: string): {
  readonly source?: string;
  readonly target: string;
  readonly mode?: string;
} {
  const [first = '', second, mode] = text.split(':');
  if (second === undefined) return { target: first };
  return { source: first, target: second, ...(mode === undefined ? {} : { mode }) };
}

/** Whether a value is a mapping. */
export function isMapping(value: unknown): value is Mapping {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
