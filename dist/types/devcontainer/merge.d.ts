import type { DevcontainerConfig, HookName, MetadataEntry, MountObject } from './types.ts';
/** A configuration into which entries are merged; collected properties have a name in the plural. */
export type MergedConfig = Omit<MetadataEntry, 'customizations' | 'entrypoint' | HookName> & Omit<DevcontainerConfig, keyof MetadataEntry> & {
    readonly customizations?: Readonly<Record<string, readonly unknown[]>>;
    readonly entrypoints?: readonly string[];
};
/**
 * Merges entries, lowest first, and adds what the configuration alone can say. The result has the shape that the
 * reference implementation prints as `mergedConfiguration`.
 * @param config the devcontainer.json itself, which is the last entry as well
 */
export declare function mergeConfig(config: DevcontainerConfig, entries: readonly MetadataEntry[]): MergedConfig;
type Mount = string | MountObject;
/** Where a mount goes, in either spelling. */
export declare function mountTarget(mount: Mount): string | undefined;
export {};
