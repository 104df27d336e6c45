import type { MountSpec } from '../types.ts';
/** A mount while its options are read, in any order. */
export type MountDraft = {
    -readonly [Key in keyof MountSpec]?: MountSpec[Key] | undefined;
} & {
    /** Options that only some types take, as written. */
    readonly given: Set<string>;
    /** Whether the type itself is a variable, so that nothing that depends on it can be checked yet. */
    typeUnknown: boolean;
};
/** Checks the options of a mount against each other; nothing when its type is not known yet. */
export declare function checkMount(draft: MountDraft, fail: (message: string, hint?: string) => never): void;
