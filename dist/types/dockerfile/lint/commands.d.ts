import type { Unit } from '../parse/unit.ts';
import type { LintInput, LintRule } from './types.ts';
/** Rules about what instructions do in a stage. */
export declare const commandRules: readonly LintRule[];
/** The units before `unit` in its stage and in the stages that it is built from, nearest last. */
export declare function chainUnits({ dockerfile, units }: LintInput, unit: Unit): Unit[];
