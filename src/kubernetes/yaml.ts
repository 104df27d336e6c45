import { stringify } from 'yaml';
import type { Manifest } from './types.ts';

/** One object as a YAML document. */
export function manifestYaml(object: Manifest): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}
