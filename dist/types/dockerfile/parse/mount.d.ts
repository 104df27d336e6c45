import { type SourceRange, type Where } from '../../core/error.ts';
import { type Lookup } from '../expand/expand.ts';
import type { MountSpec } from '../types.ts';
import type { Escape } from './directives.ts';
/**
 * Reads the value of `RUN --mount=`. Text options with variables are kept as written, other options with variables are
 * left out until expandMount.
 * @throws AppError DOCKERFILE for an unknown option, a bad value, an option that the type does not take
 */
export declare function parseMount(text: string, range: SourceRange, escapeChar: Escape, where: Where): MountSpec;
/**
 * The mount with the variables in all its values replaced and the options that were left out for them filled in.
 * @throws AppError DOCKERFILE as parseMount does, and as expandWord does
 */
export declare function expandMount(mount: MountSpec, lookup: Lookup, escapeChar: Escape, where: Where): MountSpec;
