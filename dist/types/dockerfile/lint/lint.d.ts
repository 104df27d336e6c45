import type { Unit } from '../parse/unit.ts';
import { type Source } from '../source.ts';
import type { Dockerfile, LintWarning } from '../types.ts';
/**
 * Applies all rules that the `check` directive and `# check=` comments above an instruction leave on; findings come in
 * the order of the file.
 * @throws AppError DOCKERFILE for a malformed directive, and with the first finding under `error=true`
 */
export declare function lint(source: Source, dockerfile: Omit<Dockerfile, 'warnings'>, units: readonly Unit[]): readonly LintWarning[];
