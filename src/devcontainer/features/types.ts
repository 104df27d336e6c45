import type { BuildRequest } from '../../builder/types.ts';
import type { Digest } from '../../core/digest.ts';
import type { SourceRange } from '../../core/error.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import type { DeferredFiles } from '../../plan/inputs.ts';
import type { FeatureOptions, HookCommand, MetadataEntry, MountObject } from '../types.ts';

/**
 * What is done with devcontainer-lock.json: `update` takes versions from it and writes it, `frozen` fails when it would
 * change, `read` takes versions from it and never writes it, `ignore` does neither.
 */
export type LockfileMode = 'update' | 'frozen' | 'read' | 'ignore';

/** The features of a devcontainer.json, and what they are added to. */
export interface FeaturesRequest {
  /** As in the file, variables substituted. */
  readonly features: Readonly<Record<string, FeatureOptions>>;
  readonly overrideInstallOrder: readonly string[];
  /** Absolute path of devcontainer.json: local features are relative to its folder, the lockfile lies beside it. */
  readonly configFile: string;
  /** Where that file would lie, so that its paths are relative to its folder; the lockfile lies beside it. */
  readonly placedFile: string;
  /** Directories that local features and the lockfile have to lie in. */
  readonly roots: readonly string[];
  /** Where a feature stands in the file. */
  readonly rangeOf: (id: string) => SourceRange | undefined;
  /** The Dockerfile that is extended; `FROM image` where there is none. */
  readonly dockerfileText: string;
  /** Names it in messages. */
  readonly dockerfile: string;
  readonly target?: string;
  /** The execution config of the target. */
  readonly image: ContainerConfig;
  /** What features see as _CONTAINER_USER and _REMOTE_USER; never empty. */
  readonly containerUser: string;
  readonly remoteUser: string;
  readonly lockfile: LockfileMode;
  /** A token for releases on GitHub. */
  readonly githubToken?: string;
}

export interface FeaturesResult {
  /** The Dockerfile with a stage after the target that installs the features. */
  readonly dockerfileText: string;
  readonly target?: string;
  readonly contexts: BuildRequest['contexts'];
  /** One for each feature, in the order of installation. */
  readonly entries: readonly MetadataEntry[];
  /** As the reference implementation prints it with `read-configuration --include-features-configuration`. */
  readonly featuresConfiguration: unknown;
}

export interface FeatureOption {
  readonly type?: string;
  readonly default?: string | boolean | number;
  readonly enum?: readonly string[];
  readonly proposals?: readonly string[];
}

/** devcontainer-feature.json (Dev Container Features reference, "devcontainer-feature.json properties"). */
export interface FeatureMetadata {
  readonly id: string;
  readonly version?: string;
  readonly name?: string;
  readonly description?: string;
  readonly documentationURL?: string;
  readonly options?: Readonly<Record<string, FeatureOption>>;
  readonly containerEnv?: Readonly<Record<string, string>>;
  readonly mounts?: readonly (string | MountObject)[];
  readonly init?: boolean;
  readonly privileged?: boolean;
  readonly capAdd?: readonly string[];
  readonly securityOpt?: readonly string[];
  readonly entrypoint?: string;
  readonly customizations?: Readonly<Record<string, unknown>>;
  readonly installsAfter?: readonly string[];
  readonly dependsOn?: Readonly<Record<string, FeatureOptions>>;
  readonly deprecated?: boolean;
  readonly legacyIds?: readonly string[];
  readonly onCreateCommand?: HookCommand;
  readonly updateContentCommand?: HookCommand;
  readonly postCreateCommand?: HookCommand;
  readonly postStartCommand?: HookCommand;
  readonly postAttachCommand?: HookCommand;
}

/** What the id of a feature names. `written` is the id as it stands in the file. */
export type FeatureId =
  | {
      readonly type: 'oci';
      readonly written: string;
      readonly registry: string;
      /** The path without the last part: `devcontainers/features`. */
      readonly namespace: string;
      readonly name: string;
      readonly tag?: string;
      readonly digest?: Digest;
    }
  | {
      readonly type: 'tarball';
      readonly written: string;
      readonly url: string;
      readonly name: string;
      /** Of a feature that is written as OWNER/REPOSITORY/NAME@TAG, of the latest release where there is no tag. */
      readonly release?: { readonly owner: string; readonly repository: string; readonly tag?: string };
    }
  | {
      readonly type: 'local';
      readonly written: string;
      /** Absolute path of its folder. */
      readonly path: string;
      readonly name: string;
    };

/** A feature whose metadata is known; its files may still be elsewhere. */
export interface Feature {
  readonly metadata: FeatureMetadata;
  /** Of the manifest or the tarball; local features have none. */
  readonly digest?: Digest;
  /** Stands for the files. */
  readonly contentDigest: Digest;
  /** The manifest of a feature from a registry, as it was read. */
  readonly manifest?: unknown;
  /** Writes the files into an empty directory. */
  readonly write: DeferredFiles['write'];
}

/** A feature with the options that it is installed with. */
export interface ChosenFeature {
  readonly id: FeatureId;
  readonly feature: Feature;
  /** As given, not merged with the defaults. */
  readonly options: FeatureOptions;
}
