import type { HookName, LifecycleHooks, MetadataEntry } from './types.ts';
/** When a hook runs. `host` and `attach` are moments that a container cannot see. */
export type HookMoment = 'host' | 'creation' | 'content' | 'start' | 'attach';
/**
 * The hooks in order. `creation` runs once in the life of a container; `content` once, and again when the content of the
 * workspace is new; `start` in every start.
 */
export declare const LIFECYCLE: readonly {
    readonly name: HookName;
    readonly runs: HookMoment;
}[];
/**
 * The hooks of metadata entries, lowest first; initializeCommand is no part of metadata.
 * @param originOf what an entry is called in messages
 */
export declare function collectHooks(entries: readonly MetadataEntry[], originOf: (entry: MetadataEntry, index: number) => string): LifecycleHooks;
