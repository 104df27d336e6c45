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
  /** Whose rule it is: BuildKit's checks have all but ours, which no `error=true` makes an error. */
  readonly origin: 'buildkit' | 'ours';
  /** Off unless `experimental=` names it. */
  readonly experimental?: true;
  /** Whether only stages that are built count, since their instructions are looked at when they are planned. */
  readonly inStages?: true;
  /** Looks at the file by itself; left out where planning finds it, which knows build arguments, bases and the context. */
  readonly check?: (input: LintInput) => readonly Finding[];
}
