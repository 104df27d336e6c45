import type { Emit } from '../core/events.ts';
import { PROPERTIES } from './properties.ts';
import type { DevcontainerConfig, MetadataEntry } from './types.ts';

/** The label in which an image carries what a dev container made from it needs. */
export const METADATA_LABEL = 'devcontainer.metadata';

/**
 * The entries in an image's labels, which hold a list of them or a single one. A label that cannot be read is a warning,
 * since the image works without.
 * @param image what to call the image in the warning
 */
export function readMetadata(
  labels: Readonly<Record<string, string>> | undefined,
  image: string,
  emit: Emit,
): readonly MetadataEntry[] {
  const text = labels?.[METADATA_LABEL];
  if (!text) return [];
  const value = parse(text);
  const entries = Array.isArray(value) ? value : [value];
  if (entries.every((entry) => entry !== null && typeof entry === 'object' && !Array.isArray(entry))) {
    return entries as MetadataEntry[];
  }
  emit({
    type: 'warning',
    code: 'DEVCONTAINER',
    text: `the label ${METADATA_LABEL} of ${image} is not JSON with objects, and is left out`,
    hint: 'build the image again with the tool that set the label',
  });
  return [];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
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
