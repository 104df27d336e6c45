import type { FromInstruction } from '../types.ts';
import { type Statement } from './statement.ts';
/** `FROM [--platform=…] image [AS name]`. */
export declare function parseFrom(statement: Statement): FromInstruction;
