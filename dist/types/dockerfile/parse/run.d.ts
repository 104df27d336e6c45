import type { CmdInstruction, Command, EntrypointInstruction, RunInstruction, ShellInstruction } from '../types.ts';
import { type Statement } from './statement.ts';
/** `RUN [--mount=…]… [--network=…] [--security=…] command`, both forms. */
export declare function parseRun(statement: Statement): RunInstruction;
/** `CMD command`, both forms; an empty one clears what the base has. */
export declare function parseCmd(statement: Statement): CmdInstruction;
/** `ENTRYPOINT command`, both forms. */
export declare function parseEntrypoint(statement: Statement): EntrypointInstruction;
/** `SHELL ["executable", "parameter"…]`. */
export declare function parseShell(statement: Statement): ShellInstruction;
/**
 * The command behind the flags, exec form when it is a JSON list.
 * @throws AppError DOCKERFILE for a JSON list with something else than strings in it
 */
export declare function readCommand(statement: Statement, from?: import("../text.ts").Token): Command;
