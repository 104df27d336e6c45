import type { SourceRange } from '../../core/error.ts';
import type { Unit } from '../parse/unit.ts';
import type { Finding, LintInput } from './types.ts';
/** Variables that nothing defines, in stages that end in scratch: an image may define any. */
export declare function undefinedVariables(input: LintInput): Finding[];
/** ` (did you mean X?)`, or nothing. */
export declare function suggestion(name: string, known: Iterable<string>): string;
/** Where an instruction first reads a variable; nothing when the name is not written out there. */
export declare function placeOf({ statement }: Unit, name: string): {
    range?: SourceRange;
};
