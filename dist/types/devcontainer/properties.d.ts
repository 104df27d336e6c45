import type { PropertyRow, SupportRow } from './property-types.ts';
/** Every property of devcontainer.json that the published schema has, in the order of docs/devcontainer-support.md. */
export declare const PROPERTIES: readonly PropertyRow[];
/** Keys of the schema that are about the file itself, and keys that older tools wrote. */
export declare const OTHER_KEYS: readonly string[];
/** Variables in strings, as docs/devcontainer-support.md lists them. */
export declare const VARIABLES: readonly SupportRow[];
