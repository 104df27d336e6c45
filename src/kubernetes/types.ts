import type { Deployment } from 'kubernetes-types/apps/v1.d.ts';
import type { CronJob, Job } from 'kubernetes-types/batch/v1.d.ts';
import type {
  Affinity,
  ConfigMap,
  Container,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  Secret,
  SecurityContext,
  Service,
  ServiceAccount,
  Toleration,
} from 'kubernetes-types/core/v1.d.ts';
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
import type { Role, RoleBinding } from 'kubernetes-types/rbac/v1.d.ts';
import type { Environment } from '../core/environment.ts';
import type { ComposeProject } from '../devcontainer/compose/services.ts';
import type { PipelineObject } from './custom-types.ts';

export type {
  Affinity,
  ConfigMap,
  Container,
  CronJob,
  Deployment,
  Job,
  NetworkPolicy,
  PersistentVolumeClaim,
  Pod,
  PodSpec,
  Role,
  RoleBinding,
  Secret,
  SecurityContext,
  Service,
  ServiceAccount,
  Toleration,
};

/** Any object that we write. */
export type Manifest =
  | PersistentVolumeClaim
  | CronJob
  | Job
  | Pod
  | Deployment
  | Service
  | Secret
  | ConfigMap
  | NetworkPolicy
  | ServiceAccount
  | Role
  | RoleBinding
  | PipelineObject;

/** What manifests are made from. */
export interface ManifestSettings {
  /** Begins the name of every object. */
  readonly name: string;
  /** The rest of the name of the workspace's objects, so that there can be several beside one registry. */
  readonly workspaceName: string;
  /** The namespace of every object; the current one of whoever applies them when left out. */
  readonly namespace?: string;
  /** The runtime image of envbuilder. */
  readonly runtimeImage: string;
  /** Base images that the warmer fetches. */
  readonly images: readonly string[];
  /** Whether the warmer converts layers (`convert` of WarmRequest), and builds unpack the copies. */
  readonly convert?: boolean;
  /** When the warmer runs, as cron writes it. */
  readonly schedule: string;
  /** The class of every volume; the cluster's default when left out. */
  readonly storageClass?: string;
  /** One volume of base images for all nodes (ReadWriteMany), instead of one to fill and a read-only copy. */
  readonly sharedVolume: boolean;
  readonly baseImagesSize: string;
  readonly registrySize: string;
  readonly workspaceSize: string;
  /** The address of the repository of the workspace and of prebuilds. */
  readonly repository: string;
  /** The one of the server's HEAD when left out. */
  readonly branch?: string;
  /** Of the branch: what is built instead of its newest commit. */
  readonly commit?: string;
  /** A registry that is there already, with a prefix of repositories, instead of the one among the manifests. */
  readonly registry?: string;
  /** Prebuilds sign what they store, and workspaces take nothing else. */
  readonly signed: boolean;
  /** The image of a prebuild, which a workspace starts from instead of building. */
  readonly prebuilt?: string;
  /** When prebuilds look for a new commit, as cron writes it. */
  readonly prebuildSchedule: string;
  /** A prebuild for each of these, as labels of nodes have them; one on any node when empty. */
  readonly architectures: readonly string[];
  /** An image with kubectl, for pipelines. */
  readonly kubectlImage: string;
  readonly priorityClass?: string;
  /** The queue of Kueue, which lets suspended prebuilds go. */
  readonly queue?: string;
  readonly suspend: boolean;
  /** Resources of workspaces and prebuilds, in place of ours. */
  readonly requests: ReadonlyMap<string, string>;
  readonly limits: ReadonlyMap<string, string>;
  /** Of all pods. */
  readonly nodeSelector: ReadonlyMap<string, string>;
  readonly tolerations: readonly Toleration[];
  readonly affinity?: Affinity;
  readonly serviceAccount?: string;
  readonly pullSecrets: readonly string[];
  /** Of all objects and pods. */
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** A ConfigMap whose key `ca.crt` holds authorities to trust. */
  readonly caConfigMap?: string;
  readonly mirrors: readonly string[];
  readonly maps: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** What stands beside the dev container. */
  readonly services?: ServiceSettings;
}

/** The services of a Compose project beside the dev container of a workspace. */
export interface ServiceSettings {
  readonly project: ComposeProject;
  /** The service that is the dev container. */
  readonly own: string;
  /** The workspace as it lies here, and the repository around it. */
  readonly folder: string;
  readonly repository: string;
  /** Directories that files which the project names have to lie in. */
  readonly roots: readonly string[];
  /** The folder of the repository in the volume of the workspace. */
  readonly checkout: string;
  /** Images for services, by their names, in place of those of the project. */
  readonly images: ReadonlyMap<string, string>;
  readonly volumeSize: string;
  readonly env: Environment;
}
