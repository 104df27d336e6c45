import type { OnbuildInstruction } from '../types.ts';
import { type Statement } from './statement.ts';
/** `ONBUILD instruction`; `check` parses the instruction as if it stood alone, so that its errors show now. */
export declare function parseOnbuild(statement: Statement, check: (inner: Statement) => unknown): OnbuildInstruction;
