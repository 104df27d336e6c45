import type { NamedContext, RegistrySettings, ResolvedImage } from '../builder/types.ts';
import type { Environment } from '../core/environment.ts';

/** The hooks of a dev container, in the order in which they run. */
export type HookName =
  | 'initializeCommand'
  | 'onCreateCommand'
  | 'updateContentCommand'
  | 'postCreateCommand'
  | 'postStartCommand'
  | 'postAttachCommand';

/** A string runs under /bin/sh, a list is executed as it is, an object holds commands that run at the same time. */
export type HookCommand = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

export interface Hook {
  /** What the command comes from: the id of a feature, `image metadata`, or the path of devcontainer.json. */
  readonly origin: string;
  readonly command: HookCommand;
}

/** The commands of every hook in the order in which they run. */
export type LifecycleHooks = Readonly<Record<HookName, readonly Hook[]>>;

export type UserEnvProbe = 'none' | 'loginShell' | 'loginInteractiveShell' | 'interactiveShell';

export type FeatureOptions = string | boolean | Readonly<Record<string, string | boolean>>;

export interface MountObject {
  readonly type: string;
  readonly source?: string;
  readonly target: string;
}

/**
 * One entry of the label `devcontainer.metadata`: what an image, a feature or a devcontainer.json adds (Dev Container
 * Specification, "Image Metadata"). `id` is set for features only.
 */
export interface MetadataEntry {
  readonly id?: string;
  readonly init?: boolean;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly securityOpt?: readonly string[];
  readonly entrypoint?: string;
  readonly mounts?: readonly (string | MountObject)[];
  readonly customizations?: Readonly<Record<string, unknown>>;
  readonly onCreateCommand?: HookCommand;
  readonly updateContentCommand?: HookCommand;
  readonly postCreateCommand?: HookCommand;
  readonly postStartCommand?: HookCommand;
  readonly postAttachCommand?: HookCommand;
  readonly waitFor?: HookName;
  readonly remoteUser?: string;
  readonly containerUser?: string;
  readonly userEnvProbe?: UserEnvProbe;
  readonly remoteEnv?: Readonly<Record<string, string | null>>;
  readonly containerEnv?: Readonly<Record<string, string>>;
  readonly overrideCommand?: boolean;
  readonly portsAttributes?: Readonly<Record<string, unknown>>;
  readonly otherPortsAttributes?: Readonly<Record<string, unknown>>;
  readonly forwardPorts?: readonly (number | string)[];
  readonly shutdownAction?: string;
  readonly updateRemoteUserUID?: boolean;
  readonly hostRequirements?: HostRequirements;
}

export interface GpuRequirements {
  readonly cores?: number;
  readonly memory?: string;
}

export interface HostRequirements {
  readonly cpus?: number;
  readonly memory?: string;
  readonly storage?: string;
  readonly gpu?: boolean | string | GpuRequirements;
}

/** The content of a devcontainer.json whose types are checked; properties that nobody knows are kept as they are. */
export interface DevcontainerConfig extends Omit<MetadataEntry, 'id' | 'entrypoint'> {
  readonly name?: string;
  readonly image?: string;
  readonly build?: BuildProperties;
  readonly dockerFile?: string;
  readonly context?: string;
  readonly dockerComposeFile?: string | readonly string[];
  readonly service?: string;
  readonly runServices?: readonly string[];
  readonly workspaceFolder?: string;
  readonly workspaceMount?: string;
  readonly runArgs?: readonly string[];
  readonly appPort?: number | string | readonly (number | string)[];
  readonly features?: Readonly<Record<string, FeatureOptions>>;
  readonly overrideFeatureInstallOrder?: readonly string[];
  readonly initializeCommand?: HookCommand;
  readonly secrets?: Readonly<Record<string, unknown>>;
}

export interface BuildProperties {
  readonly dockerfile?: string;
  readonly context?: string;
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly cacheFrom?: string | readonly string[];
  readonly options?: readonly string[];
}

/** What a dev container is looked up and worked out from. */
export interface DefinitionRequest {
  /** Absolute path of the workspace. */
  readonly workspaceFolder: string;
  /** Where the workspace will lie in the container, where that is not `workspaceFolder`: variables mean this one. */
  readonly containerFolder?: string;
  /** The folder that is searched first, relative to the workspace or absolute; `.devcontainer` when left out. */
  readonly devcontainerDir?: string;
  /** The file itself, relative to that folder or absolute; then nothing is searched. */
  readonly devcontainerJsonPath?: string;
  /** The file that is read in place of that one, which need not be there; what it names is relative to that one all the same. */
  readonly overrideConfig?: string;
  /** Features besides those of the file, which counts where both name one; variables stay as they are. */
  readonly additionalFeatures?: Readonly<Record<string, FeatureOptions>>;
  /** The name of a folder in `.devcontainer`, to choose among several configurations. */
  readonly configuration?: string;
  /** The labels that it is known by, where those are not its folder and its file: `${devcontainerId}` is made of them. */
  readonly idLabels?: Readonly<Record<string, string>>;
  /** What `${localEnv:…}` sees; without our own options. */
  readonly env: Environment;
  /** Names of secrets that builds are given; what a file declares beyond them is warned about. */
  readonly secrets?: readonly string[];
  /** Whoever started the container has said where the workspace lies: then `workspaceFolder` only chooses a folder in it. */
  readonly workspaceFixed?: boolean;
  /**
   * The dev container will be this very container: its workspace is `workspaceFolder` itself, and what cannot be granted
   * to a running container is warned about.
   */
  readonly inContainer: boolean;
  /** `os/arch[/variant]`; the machine's own when left out. */
  readonly platform?: string;
  /** The stage to build, and build arguments, instead of those of the file. */
  readonly target?: string;
  readonly buildArgs?: ReadonlyMap<string, string>;
  /** Built from where the file names neither an image nor a Dockerfile nor Compose; left out, that is an error. */
  readonly defaultImage?: string;
  readonly registries: RegistrySettings;
  /** Absolute paths of directories outside of the repository in which files that a definition names may lie. */
  readonly allowOutside?: readonly string[];
  /** Directory kept between builds. */
  readonly stateDir: string;
  /** Whether devcontainer-lock.json is read and written, must be right already, is only read, or is left alone. */
  readonly lockfile: 'update' | 'frozen' | 'read' | 'ignore';
}

/** The part of a build request that a definition decides. */
export interface DefinitionBuild {
  readonly context: string;
  /** The Dockerfile, or the file that is named in its place when `dockerfileText` is set. */
  readonly dockerfile: string;
  readonly dockerfileText?: string;
  /** As of BuildRequest. */
  readonly repository?: string;
  readonly allowOutside?: readonly string[];
  readonly target?: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly contexts: ReadonlyMap<string, NamedContext>;
  readonly labels: ReadonlyMap<string, string>;
  /** As of BuildRequest. */
  readonly imageEnv?: ReadonlyMap<string, string>;
  readonly platform?: string;
  /** The bases, as they were read for their configs: the build is of those very images. */
  readonly resolvedImages?: ReadonlyMap<string, ResolvedImage>;
}

export interface BuildDefinition {
  readonly build: DefinitionBuild;
  readonly devcontainer: Devcontainer;
}

/** What variables of this dev container stand for, those of environments aside. */
export interface VariableScope {
  readonly localWorkspaceFolder?: string;
  readonly containerWorkspaceFolder?: string;
  readonly devcontainerId?: string;
}

/** Something that the file asks for and that a container that runs already cannot be given. */
export interface Ungranted {
  readonly property: string;
  readonly origin: string;
  readonly why: string;
  /** Where the container has got it all the same, nothing is said. */
  readonly unless?: Need;
}

/** What a container can have been given by whoever started it. */
export type Need =
  | { readonly kind: 'capability' | 'mount' | 'security option' | 'host'; readonly name: string }
  | { readonly kind: 'init' }
  | { readonly kind: 'gpu'; readonly asked?: string }
  /** At least so much of something: processors, or bytes. */
  | { readonly kind: 'cpus' | 'memory' | 'storage'; readonly atLeast: number; readonly asked: string };

/** What a container is created with, besides what metadata says. */
export interface ContainerSettings {
  readonly user?: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface OriginEntry {
  /** The id of a feature, `image metadata`, or the path of devcontainer.json. */
  readonly origin: string;
  /** With variables as they are written. */
  readonly entry: MetadataEntry;
}

/** A dev container as it is started. Plain data; `${containerEnv:…}` is final after resolveAfterBuild. */
export interface Devcontainer {
  /** Absolute path of devcontainer.json; undefined where only an image's label says what to do. */
  readonly configFile?: string;
  readonly name?: string;
  readonly containerEnv: Readonly<Record<string, string>>;
  /** null removes the variable. */
  readonly remoteEnv: Readonly<Record<string, string | null>>;
  /** As in USER: a name or id, and perhaps a group after a colon. */
  readonly containerUser: string;
  /** The user of hooks and of the user's processes. */
  readonly remoteUser: string;
  readonly updateRemoteUserUID: boolean;
  readonly userEnvProbe: UserEnvProbe;
  readonly hooks: LifecycleHooks;
  /** The hook after which the dev container counts as ready. */
  readonly waitFor: HookName;
  readonly overrideCommand?: boolean;
  /** Entry points that features add, in order. */
  readonly entrypoints: readonly Hook[];
  /** Where hooks and the user's processes start. */
  readonly workspaceFolder?: string;
  /** A path that has to lead to the workspace, so that this folder is there. */
  readonly workspaceLink?: string;
  readonly customizations: Readonly<Record<string, readonly unknown[]>>;
  readonly ungranted: readonly Ungranted[];
  /** What all of this was merged from, lowest first; the entries are the value of the image's label. */
  readonly metadata: readonly OriginEntry[];
  readonly initializeCommand?: HookCommand;
  readonly scope: VariableScope;
  /** Below and above the metadata: of the Compose service, and of runArgs. */
  readonly settings: { readonly below: ContainerSettings; readonly above: ContainerSettings };
}
