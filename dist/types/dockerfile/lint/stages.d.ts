import type { Unit } from '../parse/unit.ts';
import type { FromInstruction } from '../types.ts';
import type { LintRule } from './types.ts';
type FromUnit = Unit & {
    readonly node: FromInstruction;
};
/** Rules about FROM. */
export declare const stageRules: readonly LintRule[];
/** The units that are FROM. */
export declare function fromUnits(units: readonly Unit[]): FromUnit[];
export {};
