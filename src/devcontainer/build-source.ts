import type { ReadConfig } from './read-config.ts';
import type { ContainerSettings, DefinitionBuild, Ungranted } from './types.ts';
import type { WorkspaceMount } from './workspace-folder.ts';

/** A build with the text of its Dockerfile, whether that is a file or not. */
export interface BuildSource {
  readonly build: DefinitionBuild;
  readonly text: string;
}

/** What a devcontainer.json asks to build, before features and labels. */
export interface BuildForm extends BuildSource {
  /** What the container is created with, below what metadata says. */
  readonly below: ContainerSettings;
  readonly ungranted: readonly Ungranted[];
  /** The volume of a Compose service that brings the workspace. */
  readonly workspaceMount?: WorkspaceMount;
}

/**
 * The build that an image alone stands for: nothing is added to it.
 * @param read the file that names it, and what its paths are relative to; where another file is read in its place, that need
 * not be there, and the workspace is as good
 */
export function buildOfImage(
  { file, base, folder, isOverridden }: Pick<ReadConfig, 'file' | 'base' | 'folder' | 'isOverridden'>,
  image: string,
): BuildSource {
  const text = `FROM ${image}\n`;
  return {
    text,
    build: {
      context: isOverridden ? folder : base,
      dockerfile: file,
      dockerfileText: text,
      buildArgs: new Map(),
      contexts: new Map(),
      labels: new Map(),
    },
  };
}
