import * as v from 'valibot';
import type { Emit } from '../core/events.ts';
import { isTooDeep } from '../core/nesting.ts';
import { PROPERTIES } from './properties.ts';
import type { PropertyRow } from './property-types.ts';
import { readableValue } from './readable.ts';
import type { DevcontainerConfig, MetadataEntry } from './types.ts';

/** The label in which an image carries what a dev container made from it needs. */
export const METADATA_LABEL = 'devcontainer.metadata';

/**
 * The entries in an image's labels, which hold a list of them or a single one. What cannot be read is a warning and left
 * out, since the image works without: a whole label, or a property of a wrong type that would decide something.
 * @param image what to call the image in warnings
 */
export function readMetadata(
  labels: Readonly<Record<string, string>> | undefined,
  image: string,
  emit: Emit,
): readonly MetadataEntry[] {
  const text = labels?.[METADATA_LABEL];
  if (!text) return [];
  const warn = (what: string): void =>
    emit({
      type: 'warning',
      code: 'DEVCONTAINER',
      text: `${what}, and is left out`,
      hint: 'build the image again with the tool that set the label',
    });
  const value = parse(text);
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (entries.every(isObject)) {
    const right = entries.map((entry) => rightParts(entry, image, warn));
    return right.filter((entry) => Object.keys(entry).length > 0);
  }
  warn(`the label ${METADATA_LABEL} of ${image} is not JSON with objects`);
  return [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function rightParts(
  entry: Readonly<Record<string, unknown>>,
  image: string,
  warn: (what: string) => void,
): MetadataEntry {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entry)) {
    const row = CHECKED.find((one) => one.name === name);
    const result =
      row &&
      v.safeParse(
        row.schema,
        readableValue(row, value, () => {}),
      );
    if (result?.success === false)
      warn(`${name} in the label ${METADATA_LABEL} of ${image} has a wrong type`);
    else kept[name] = result ? result.output : value;
  }
  return kept as MetadataEntry;
}

/** Properties whose type matters here; the others are passed on as they are. */
const CHECKED: readonly Pick<PropertyRow, 'name' | 'schema' | 'lenience'>[] = [
  ...PROPERTIES.filter(({ merge, support }) => merge !== undefined && support !== 'no effect'),
  { name: 'id', schema: v.string() },
  { name: 'entrypoint', schema: v.string() },
];

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isTooDeep(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

const MERGED = PROPERTIES.filter(({ merge }) => merge !== undefined);

/** What of a devcontainer.json goes into the label; undefined when nothing does. */
export function entryOfConfig(config: DevcontainerConfig): MetadataEntry | undefined {
  const all = config as Readonly<Record<string, unknown>>;
  const picked = MERGED.filter(({ name }) => Object.hasOwn(all, name)).map(({ name }) => [name, all[name]]);
  return picked.length === 0 ? undefined : Object.fromEntries(picked);
}

/** The label of an image with these entries; undefined when there are none. */
export function metadataLabel(entries: readonly MetadataEntry[]): string | undefined {
  return entries.length === 0 ? undefined : JSON.stringify(entries);
}
