import { stringify } from 'yaml';
import { networkPolicies } from './network.ts';
import { registry } from './registry.ts';
import { secrets } from './secrets.ts';
import type { Manifest, ManifestSettings } from './types.ts';
import { baseImageClaims } from './volumes.ts';
import { warmerCronJob, warmerJob } from './warmer.ts';
import { workspace } from './workspace.ts';

/** What manifests can be asked for. */
export type PartName =
  | 'secrets'
  | 'base-images'
  | 'warmer'
  | 'warm-now'
  | 'registry'
  | 'workspace'
  | 'network';

const PARTS: Readonly<Record<PartName, (settings: ManifestSettings) => readonly Manifest[]>> = {
  secrets,
  'base-images': baseImageClaims,
  warmer: (settings) => [warmerCronJob(settings)],
  'warm-now': (settings) => [warmerJob(settings)],
  registry,
  workspace,
  network: networkPolicies,
};

/** All of them, in the order in which they are applied. */
export const PART_NAMES = Object.keys(PARTS) as readonly PartName[];

/** The objects of some parts, each part once, in the order in which they are applied. */
export function manifests(names: readonly PartName[], settings: ManifestSettings): readonly Manifest[] {
  return PART_NAMES.filter((name) => names.includes(name)).flatMap((name) => PARTS[name](settings));
}

/** Objects as YAML documents, as `kubectl apply -f -` reads them; the same objects always give the same text. */
export function manifestsYaml(objects: readonly Manifest[]): string {
  return objects.map((each) => stringify(each, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}
