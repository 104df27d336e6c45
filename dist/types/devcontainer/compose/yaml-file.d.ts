import { type Where } from '../../core/error.ts';
type Path = readonly (string | number)[];
/** A YAML file, and where its values stand. */
export interface YamlFile {
    readonly path: string;
    readonly value: Readonly<Record<string, unknown>>;
    /** Where the value at a path stands, or its nearest parent. */
    whereOf(path: Path): Where;
}
/** Stands for a value tagged `!reset`: what other files say of it is forgotten. */
export declare const RESET: unique symbol;
/** The key under which a value tagged `!override` stands: it replaces what other files say. */
export declare const OVERRIDE: unique symbol;
/**
 * Reads a Compose file, with aliases and merge keys resolved.
 * @param where what names the file
 * @throws AppError DEVCONTAINER when it cannot be read, is not YAML, or holds no mapping
 */
export declare function readYaml(path: string, where: Where): YamlFile;
export {};
