import type {
  ExposeInstruction,
  MaintainerInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from '../types.ts';
import { parseJsonForm } from './command.ts';
import { rejectFlags } from './flags.ts';
import { fail, nodeOf, type Statement } from './statement.ts';
import { plainWords } from './words.ts';

/** `WORKDIR path`: the rest of the line, blanks included. */
export function parseWorkdir(statement: Statement): WorkdirInstruction {
  return { kind: 'workdir', ...nodeOf(statement), path: restOf(statement, 'a path') };
}

/** `USER name[:group]`. */
export function parseUser(statement: Statement): UserInstruction {
  return { kind: 'user', ...nodeOf(statement), user: restOf(statement, 'a user') };
}

/** `STOPSIGNAL signal`. */
export function parseStopsignal(statement: Statement): StopsignalInstruction {
  return { kind: 'stopsignal', ...nodeOf(statement), signal: restOf(statement, 'a signal') };
}

/** `MAINTAINER name`, deprecated. */
export function parseMaintainer(statement: Statement): MaintainerInstruction {
  return { kind: 'maintainer', ...nodeOf(statement), name: restOf(statement, 'a name') };
}

/** `EXPOSE port[/protocol]…`. */
export function parseExpose(statement: Statement): ExposeInstruction {
  const ports = plainWords(restOf(statement, 'a port'), statement.rest.start).map(({ text }) => text);
  return { kind: 'expose', ...nodeOf(statement), ports };
}

/** `VOLUME path…` or `VOLUME ["path"…]`. */
export function parseVolume(statement: Statement): VolumeInstruction {
  const text = restOf(statement, 'a path');
  const { rest } = statement;
  const json = parseJsonForm(text);
  if (json === 'mixed')
    fail(statement, rest, 'a JSON list may hold strings only', 'put every element in double quotes');
  const paths = (json ?? plainWords(text, rest.start).map((word) => word.text)).map((path) => path.trim());
  if (paths.length === 0) fail(statement, rest, 'VOLUME needs a path', 'write VOLUME /path');
  if (paths.includes('')) fail(statement, rest, 'VOLUME has an empty path', 'write VOLUME /path');
  return { kind: 'volume', ...nodeOf(statement), paths };
}

function restOf(statement: Statement, what: string): string {
  rejectFlags(statement);
  if (statement.rest.text !== '') return statement.rest.text;
  const keyword = statement.keyword.text.toUpperCase();
  fail(statement, undefined, `${keyword} needs ${what}`, `write ${keyword} and ${what} behind it`);
}
