import type { CronJob, Job, ManifestSettings } from './types.ts';
/** Fetches the base images again and again. */
export declare function warmerCronJob(settings: ManifestSettings): CronJob;
/** Fetches the base images once, now. */
export declare function warmerJob(settings: ManifestSettings): Job;
