import type { ExposeInstruction, MaintainerInstruction, StopsignalInstruction, UserInstruction, VolumeInstruction, WorkdirInstruction } from '../types.ts';
import { type Statement } from './statement.ts';
/** `WORKDIR path`: the rest of the line, blanks included. */
export declare function parseWorkdir(statement: Statement): WorkdirInstruction;
/** `USER name[:group]`. */
export declare function parseUser(statement: Statement): UserInstruction;
/** `STOPSIGNAL signal`. */
export declare function parseStopsignal(statement: Statement): StopsignalInstruction;
/** `MAINTAINER name`, deprecated. */
export declare function parseMaintainer(statement: Statement): MaintainerInstruction;
/** `EXPOSE port[/protocol]…`. */
export declare function parseExpose(statement: Statement): ExposeInstruction;
/** `VOLUME path…` or `VOLUME ["path"…]`. */
export declare function parseVolume(statement: Statement): VolumeInstruction;
