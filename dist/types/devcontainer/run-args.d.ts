import type { ContainerSettings, Ungranted } from './types.ts';
/** What `runArgs` says of the container: settings, which win over metadata, and flags that cannot be honoured. */
export declare function applyRunArgs(words: readonly string[], origin: string): {
    readonly settings: ContainerSettings;
    readonly ungranted: readonly Ungranted[];
};
