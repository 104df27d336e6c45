import type { UserCommand } from '../sys/run-as.ts';
import type { RunMount } from '../sys/types.ts';

/** What a container is started with; plain data, as it goes to a process of its own. */
export interface ContainerSpec {
  /** Its root file system, as the machine has it. */
  readonly root: string;
  /** Those of volumes have a directory that is there already, or is made and filled from the image. */
  readonly mounts: readonly ContainerMount[];
  readonly hostname: string;
  readonly privileged: boolean;
  /** Numbers of those that it has besides Docker's default ones. */
  readonly capabilities: readonly number[];
  /** Numbers of default ones that it does not have. */
  readonly dropped?: readonly number[];
  /** Files that are nowhere on disk, and that nobody can write. */
  readonly files?: readonly ContainerFile[];
  /** Its first process. */
  readonly command: UserCommand;
}

/** A file that is given to a container, and is kept in memory. */
export interface ContainerFile {
  readonly target: string;
  /** As base64. */
  readonly content: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A mount of a container; what an empty volume shows is first what the image has there, as under Docker. */
export type ContainerMount = RunMount & { readonly volume?: boolean };

/** What a process that joins a container becomes. */
export interface JoinSpec extends UserCommand {
  /** Standard input is a terminal of its own. */
  readonly terminal: boolean;
  readonly privileged: boolean;
  readonly capabilities: readonly number[];
  readonly dropped?: readonly number[];
}

/** What a first process says just before it is its command. */
export const STARTED = 'started\n';
