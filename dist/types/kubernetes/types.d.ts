import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { CronJob, Job } from 'kubernetes-types/batch/v1.d.ts';
import type { Container, PersistentVolumeClaim, Pod, PodSpec, Secret, SecurityContext, Service } from 'kubernetes-types/core/v1.d.ts';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
export type { Container, CronJob, Deployment, Job, NetworkPolicy, PersistentVolumeClaim, Pod, PodSpec, Secret, SecurityContext, Service, };
/** Any object that we write. */
export type Manifest = PersistentVolumeClaim | CronJob | Job | Pod | Deployment | Service | Secret | NetworkPolicy;
/** What manifests are made from. */
export interface ManifestSettings {
    /** The namespace of every object; the current one of whoever applies them when left out. */
    readonly namespace?: string;
    /** The runtime image of envbuilder. */
    readonly runtimeImage: string;
    /** Base images that the warmer fetches. */
    readonly images: readonly string[];
    /** When the warmer runs, as cron writes it. */
    readonly schedule: string;
    /** The class of every volume; the cluster's default when left out. */
    readonly storageClass?: string;
    /** One volume of base images for all nodes (ReadWriteMany), instead of one to fill and a read-only copy. */
    readonly sharedVolume: boolean;
    readonly baseImagesSize: string;
    readonly registrySize: string;
    readonly workspaceSize: string;
    /** The address of the repository of the workspace. */
    readonly repository: string;
}
