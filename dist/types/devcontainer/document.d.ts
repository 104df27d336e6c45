import { type JSONPath } from 'jsonc-parser';
import { type Where } from '../core/error.ts';
/** A file in JSON with comments, and where its values stand. */
export interface JsonDocument {
    readonly file: string;
    /** What the file holds: an object. */
    readonly value: Readonly<Record<string, unknown>>;
    /** Where the value at a path stands; where its nearest parent does when there is none. */
    whereOf(path: JSONPath): Where;
    /** Where the key of a property stands. */
    whereOfKey(path: JSONPath): Where;
}
/**
 * Reads JSON with comments and trailing commas.
 * @throws AppError DEVCONTAINER at the first mistake, and when the file does not hold an object
 */
export declare function parseDocument(source: string, file: string): JsonDocument;
