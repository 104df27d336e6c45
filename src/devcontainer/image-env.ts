import { mergeConfig } from './merge.ts';
import type { MetadataEntry } from './types.ts';

/** Whether an image can hold a variable, and every machine would write the same. */
function isPlain([name, value]: [string, string]): boolean {
  return /^[^=\0]+$/.test(name) && !/\$\{|\0/.test(value);
}

/**
 * What of containerEnv stands in the image itself, so that every process of a container has it, those of `docker exec` too.
 * A value with a variable is left to the start: what it stands for is another thing on every machine, and may be secret.
 * @param entries with variables as they are written, lowest first
 */
export function variablesOfImage(entries: readonly MetadataEntry[]): ReadonlyMap<string, string> {
  const { containerEnv = {} } = mergeConfig({}, entries);
  return new Map(Object.entries(containerEnv).filter(isPlain));
}
