import type { LintRule } from './types.ts';
/** Every rule, by name as in BuildKit's build checks, so that skip lists written for Docker work. */
export declare const RULES: readonly LintRule[];
