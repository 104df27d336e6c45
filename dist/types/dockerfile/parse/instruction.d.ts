import type { FromInstruction, Instruction } from '../types.ts';
import { type Statement } from './statement.ts';
/**
 * The typed instruction of a statement.
 * @throws AppError DOCKERFILE at the word that is wrong
 */
export declare function parseStatement(statement: Statement): FromInstruction | Instruction;
