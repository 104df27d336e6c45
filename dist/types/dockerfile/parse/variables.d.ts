import type { ArgInstruction, EnvInstruction, LabelInstruction } from '../types.ts';
import { type Statement } from './statement.ts';
/** `ARG name[=default]…`. */
export declare function parseArg(statement: Statement): ArgInstruction;
/** `ENV key=value…` or the older `ENV key value`. */
export declare function parseEnv(statement: Statement): EnvInstruction;
/** `LABEL key=value…` or the older `LABEL key value`. */
export declare function parseLabel(statement: Statement): LabelInstruction;
/** Whether an ENV or LABEL has the older form: no `=` in its first word, and all that follows it is the value. */
export declare function isLegacyPair(statement: Statement): boolean;
