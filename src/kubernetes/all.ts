/** What the command line needs of this folder. */
export { chartFiles, kustomizeFiles } from './bundles.ts';
export { scheduleFault } from './cron.ts';
export {
  manifests,
  manifestsYaml,
  ON_DEMAND_JOBS,
  PART_NAMES,
  PIPELINE_PARTS,
  USUAL_PARTS,
} from './manifests.ts';
export { servicesBeside } from './services/beside.ts';
export { readServices } from './services/read.ts';
