import type { Environment } from '../../core/environment.ts';
import { type Where } from '../../core/error.ts';
/** What variables stand for, and what is told about those that are not set. */
export interface Interpolation {
    readonly env: Environment;
    /** Called with the name of a variable that is not set and has no default. */
    readonly onUnset: (name: string) => void;
}
/**
 * Replaces `$NAME`, `${NAME}` and its forms with `:-`, `-`, `:+`, `+`, `:?` and `?`, which may be nested; `$$` is a dollar
 * sign, and so is a `$` before anything else (Compose Specification, "Interpolation").
 * @throws AppError DEVCONTAINER for a `${` that is none of these, and for a variable that must be set
 */
export declare function interpolate(text: string, interpolation: Interpolation, where: Where): string;
/** Interpolates all strings of a value, keys excepted. */
export declare function interpolateAll(value: unknown, interpolation: Interpolation, whereOf: (path: readonly (string | number)[]) => Where, path?: readonly (string | number)[]): unknown;
