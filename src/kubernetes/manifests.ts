import { argoEvents, argoWorkflows } from './argo.ts';
import { networkPolicies } from './network.ts';
import { prebuildCronJobs, prebuildJobs } from './prebuild.ts';
import { registry, registryGc } from './registry.ts';
import { secrets } from './secrets.ts';
import { tektonPipeline, tektonTriggers } from './tekton.ts';
import type { Manifest, ManifestSettings } from './types.ts';
import { baseImages, baseImagesRead } from './volumes.ts';
import { warmerCronJob, warmerJob } from './warmer.ts';
import { workspace } from './workspace.ts';
import { manifestYaml } from './yaml.ts';

interface Part {
  readonly make: (settings: ManifestSettings) => readonly Manifest[];
  /**
   * Printed only when it is asked for: it must not be applied again as it is (secrets), has its moment (a first fetch, a
   * copy, a prebuild), or is another way to something that is there.
   */
  readonly onDemand?: true;
}

const PARTS = {
  secrets: { make: secrets, onDemand: true },
  'base-images': { make: baseImages },
  warmer: { make: (settings): readonly Manifest[] => [warmerCronJob(settings)] },
  'warm-now': { make: (settings): readonly Manifest[] => [warmerJob(settings)], onDemand: true },
  'base-images-read': { make: baseImagesRead, onDemand: true },
  registry: { make: registry },
  'registry-gc': { make: registryGc, onDemand: true },
  prebuild: { make: prebuildJobs, onDemand: true },
  'prebuild-watch': { make: prebuildCronJobs, onDemand: true },
  'prebuild-argo': { make: argoWorkflows, onDemand: true },
  'prebuild-argo-events': { make: argoEvents, onDemand: true },
  'prebuild-tekton': { make: tektonPipeline, onDemand: true },
  'prebuild-tekton-triggers': { make: tektonTriggers, onDemand: true },
  workspace: { make: workspace },
  network: { make: networkPolicies },
} as const satisfies Readonly<Record<string, Part>>;

/** What manifests can be asked for. */
export type PartName = keyof typeof PARTS;

/** All of them, in the order in which they are applied. */
export const PART_NAMES = Object.keys(PARTS) as readonly PartName[];

/** Those that are printed where none is named. */
export const USUAL_PARTS: readonly PartName[] = PART_NAMES.filter((name) => !('onDemand' in PARTS[name]));

/** Those that need the kinds of Argo or Tekton, and the namespace that their accounts are in. */
export const PIPELINE_PARTS: readonly PartName[] = PART_NAMES.filter((name) => /-(?:argo|tekton)/.test(name));

/** Jobs: what they would do is in their names, so no chart can change it. */
export const ON_DEMAND_JOBS: readonly PartName[] = [
  'warm-now',
  'prebuild',
  'prebuild-watch',
  ...PIPELINE_PARTS,
];

/** The objects of some parts, each part once, in the order in which they are applied. */
export function manifests(names: readonly PartName[], settings: ManifestSettings): readonly Manifest[] {
  return PART_NAMES.filter((name) => names.includes(name)).flatMap((name) => PARTS[name].make(settings));
}

/** Objects as YAML documents, as `kubectl apply -f -` reads them; the same objects always give the same text. */
export function manifestsYaml(objects: readonly Manifest[]): string {
  return objects.map(manifestYaml).join('---\n');
}
