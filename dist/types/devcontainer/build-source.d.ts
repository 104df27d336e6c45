import type { ContainerSettings, DefinitionBuild, Ungranted } from './types.ts';
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
}
/** The build that an image alone stands for: nothing is added to it. */
export declare function buildOfImage(file: string, image: string): BuildSource;
