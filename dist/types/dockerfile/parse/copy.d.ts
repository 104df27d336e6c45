import type { AddInstruction, CopyInstruction } from '../types.ts';
import { type Statement } from './statement.ts';
/** `COPY [flags] source… destination`, both forms. */
export declare function parseCopy(statement: Statement): CopyInstruction;
/** `ADD [flags] source… destination`, both forms. */
export declare function parseAdd(statement: Statement): AddInstruction;
