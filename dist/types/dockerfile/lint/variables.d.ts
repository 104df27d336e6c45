import type { LintRule } from './types.ts';
/** Rules about ARG, ENV and the variables in words. */
export declare const variableRules: readonly LintRule[];
