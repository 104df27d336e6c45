import type { LintRule } from './types.ts';
/** Rules about how things are written. */
export declare const textRules: readonly LintRule[];
