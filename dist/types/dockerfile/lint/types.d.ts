import type { SourceRange } from '../../core/error.ts';
import type { Unit } from '../parse/unit.ts';
import type { Dockerfile } from '../types.ts';
/** What rules look at. */
export interface LintInput {
    readonly dockerfile: Omit<Dockerfile, 'warnings'>;
    readonly units: readonly Unit[];
}
/** Something that a rule found; without `range` it is the whole instruction. */
export interface Finding {
    readonly unit: Unit;
    readonly text: string;
    readonly range?: SourceRange;
}
/** A rule: `doc` is its sentence in the documentation. */
export interface LintRule {
    readonly name: string;
    readonly doc: string;
    readonly check: (input: LintInput) => readonly Finding[];
}
