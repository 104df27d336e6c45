import type { VariableScope } from '../devcontainer/types.ts';
import type { ContainerConfig } from '../oci/types.ts';
import type { OwnIds } from '../sys/user-namespace.ts';

/** What is kept of a container. No value of an environment is in it, so that no secret is. */
export interface ContainerRecord {
  /** What tools know it by. */
  readonly id: string;
  readonly name: string;
  /** The workspace, as the machine has it. */
  readonly folder: string;
  readonly configFile: string;
  /** RFC 3339. */
  readonly created: string;
  /** Which ids the ordinary user who made it has inside; left out where root did. */
  readonly ids?: OwnIds;
  /** The config of its image; left out while it is being made. */
  readonly image?: ContainerConfig;
  readonly scope: VariableScope;
  readonly remoteUser?: string;
}

/** A container, and whether its first process is there. */
export interface FoundContainer {
  readonly record: ContainerRecord;
  /** The first process, as it is numbered outside. */
  readonly pid: number | undefined;
}

/** What tools are told, as the reference implementation says it. */
export interface UpResult {
  readonly outcome: 'success';
  readonly containerId: string;
  readonly remoteUser: string;
  readonly remoteWorkspaceFolder: string;
}

/** What a build is to give. */
export interface BuildOrder {
  /** A service of the Compose project, in place of the dev container. */
  readonly service?: string;
  /** Where the files of the image are written, a directory that is not there yet. */
  readonly rootfs?: string;
  /** Where the image is written for docker load. */
  readonly archive?: string;
  /** The image was built just now: nothing is said twice, and temporary files lie in this directory. */
  readonly again?: string;
}

/** What is done where files of every owner can be made: as root, or inside of the ordinary user's namespace. */
export interface PrepareDeps {
  readonly build: (order: BuildOrder, ids: OwnIds | undefined) => Promise<ContainerConfig>;
  /** Deletes a directory with all that is in it. */
  readonly remove: (directory: string, ids: OwnIds | undefined) => Promise<void>;
}
