import type { BuildRequest } from '../builder/types.ts';
import type { Emit } from '../core/events.ts';
import type { ContainerConfig } from '../oci/types.ts';
import type { runAs } from '../sys/run-as.ts';
import type { BuildClone } from '../workspace/prepare.ts';
import type { Workspace } from '../workspace/types.ts';
import type { Dotfiles } from './dotfiles.ts';
import type { Variables } from './environment.ts';
import type { Hook } from './hooks.ts';

/** The part of a build request that says what is built. */
export type BuildPart = Pick<BuildRequest, 'context' | 'dockerfile'> & Partial<BuildRequest>;

/** What is built, and the dev container that it came from, if any. */
export interface Definition<Source = unknown> {
  readonly build: BuildPart;
  readonly devcontainer?: Source;
}

/** What a start does with a dev container; plain data, kept in the state file. */
export interface StartedDevcontainer {
  readonly configFile?: string;
  readonly containerEnv: Variables;
  readonly remoteEnv: Readonly<Record<string, string | null>>;
  /** What in metadata the values of both come from, by `containerEnv.NAME` and `remoteEnv.NAME`. */
  readonly envOrigins?: Readonly<Record<string, string>>;
  readonly containerUser?: string;
  /** The containerUser where devcontainer.json itself gives one, and not the image or a feature. */
  readonly ownContainerUser?: string;
  readonly remoteUser?: string;
  /** What somebody asked for; left out, hooks are run with what the specification's default finds. */
  readonly userEnvProbe?: UserEnvProbe;
  /** The last hook that the init command waits for, where somebody says so. */
  readonly waitFor?: string;
  readonly hooks: Readonly<Partial<Record<string, readonly Hook[]>>>;
  /** Commands of features that start what they bring along, in every start. */
  readonly entrypoints: readonly Hook[];
  /** Where the user's processes start, where that is not the workspace. */
  readonly workspaceFolder?: string;
  /** A path at which a link leads to the workspace, so that this folder is there. */
  readonly workspaceLink?: string;
}

/** The shell whose environment is that of the user's processes. */
export type UserEnvProbe = 'none' | 'loginShell' | 'loginInteractiveShell' | 'interactiveShell';

/** What only hooks and the installation of dotfiles see. */
export interface HookSecrets {
  readonly env: Variables;
  /** The texts that are masked in what hooks say. */
  readonly masked: readonly string[];
}

/** What a start is asked for; made by the command line. */
export interface StartRequest {
  /** The root file system, `/`. */
  readonly root: string;
  /** `/.envbuilder`: where our program and our state lie. */
  readonly ownDir: string;
  /** Where the workspace lies, whether it is there or not. */
  readonly workspaceFolder: string;
  /** The environment of the container without what configures us. */
  readonly env: Variables;
  readonly remoteRepoBuild: boolean;
  readonly skipRebuild: boolean;
  /** The image that is used when there is nothing to build, or the build fails. */
  readonly fallbackImage?: string;
  readonly exitOnBuildFailure: boolean;
  readonly exportEnvFile?: string;
  readonly postStartScript?: string;
  /** The last hook that the init command waits for, `all`, or `specification`: what the dev container says, or its default. */
  readonly waitFor?: string;
  /** Instead of what the dev container says. */
  readonly userEnvProbe?: UserEnvProbe;
  /** Whether postAttachCommand runs as well. */
  readonly runAttach: boolean;
  readonly dotfiles?: Dotfiles;
  readonly hookSecrets?: HookSecrets;
  readonly setupScript?: string;
  readonly initCommand: string;
  /** Who runs hooks and the init command: `container`, `remote`, or a user. */
  readonly initUser?: string;
  readonly initArgs: readonly string[];
  /** Whether standard input and output are a terminal. */
  readonly terminal: boolean;
}

/** The steps of a start that other parts do. */
export interface StartDeps<Source> {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly prepareWorkspace: () => Promise<Workspace>;
  /** A clone of the repository that only the build sees. */
  readonly cloneForBuild: () => Promise<BuildClone>;
  /** Clones the dotfiles into a directory that is not there yet. @throws AppError of any code */
  readonly cloneDotfiles?: (directory: string) => Promise<void>;
  /** What to build from the files of a folder. @throws AppError DEVCONTAINER or DOCKERFILE when there is nothing */
  readonly define: (folder: string) => Promise<Definition<Source>>;
  /** Checks that this container can become what is built. @throws AppError PERMISSION */
  readonly requireRights: () => void;
  /** Builds, and makes the root file system that of the result. */
  readonly build: (definition: Definition<Source>) => Promise<ContainerConfig>;
  /**
   * The dev container of an image: of the definition that it was built from, or of its labels, with what the
   * devcontainer.json of a pushed image adds.
   */
  readonly describe: (
    source: Source | undefined,
    image: ContainerConfig,
    file?: string,
  ) => StartedDevcontainer | Promise<StartedDevcontainer>;
  readonly runAs: typeof runAs;
}
