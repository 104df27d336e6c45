import type { FromInstruction, Instruction } from '../types.ts';
import type { Statement } from './statement.ts';
/** A statement with what it means; `stage` is -1 before the first FROM. */
export interface Unit {
    readonly statement: Statement;
    readonly node: FromInstruction | Instruction;
    readonly stage: number;
}
