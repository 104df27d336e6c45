import { isPlain } from '../expand/expand.ts';
import type { Token } from '../text.ts';
import type { AddInstruction, CopyInstruction, Heredoc } from '../types.ts';
import { parseJsonForm } from './command.ts';
import { type Flags, readFlags } from './flags.ts';
import { heredocStart } from './heredoc.ts';
import { fail, nodeOf, type Statement } from './statement.ts';
import { plainWords } from './words.ts';

const COMMON_FLAGS = { chown: 'value', chmod: 'value', link: 'boolean', exclude: 'values' } as const;

/** `COPY [flags] source… destination`, both forms. */
export function parseCopy(statement: Statement): CopyInstruction {
  const flags = readFlags(statement, { from: 'value', ...COMMON_FLAGS, parents: 'boolean' });
  const from = flags.value('from');
  if (from !== undefined && !isPlain(from, statement.escape)) {
    const token = statement.flags.find(({ text }) => text.startsWith('--from='));
    const hint = 'add a stage that is FROM the variable (an ARG before the first FROM) and copy from that';
    fail(statement, token, '--from cannot contain variables, quotes or escapes', hint);
  }
  return {
    kind: 'copy',
    ...nodeOf(statement),
    ...readPaths(statement),
    ...(from === undefined ? {} : { from }),
    ...common(flags),
    parents: flags.isTrue('parents'),
  };
}

/** `ADD [flags] source… destination`, both forms. */
export function parseAdd(statement: Statement): AddInstruction {
  const kinds = { ...COMMON_FLAGS, checksum: 'value', 'keep-git-dir': 'boolean', unpack: 'boolean' } as const;
  const flags = readFlags(statement, kinds);
  const checksum = flags.value('checksum');
  return {
    kind: 'add',
    ...nodeOf(statement),
    ...readPaths(statement),
    ...common(flags),
    ...(checksum === undefined ? {} : { checksum }),
    ...(flags.has('keep-git-dir') ? { keepGitDir: flags.isTrue('keep-git-dir') } : {}),
    ...(flags.has('unpack') ? { unpack: flags.isTrue('unpack') } : {}),
  };
}

function common(flags: Flags): Pick<CopyInstruction, 'chown' | 'chmod' | 'link' | 'excludes'> {
  const chown = flags.value('chown');
  const chmod = flags.value('chmod');
  return {
    ...(chown === undefined ? {} : { chown }),
    ...(chmod === undefined ? {} : { chmod }),
    link: flags.isTrue('link'),
    excludes: flags.values('exclude').map(({ value }) => value),
  };
}

function readPaths(statement: Statement): Pick<CopyInstruction, 'sources' | 'destination' | 'heredocs'> {
  const keyword = statement.keyword.text.toUpperCase();
  const words = wordsOf(statement);
  const destination = words.at(-1);
  if (!destination || words.length < 2) {
    const hint = `write ${keyword} source destination`;
    fail(statement, undefined, `${keyword} needs at least one source and a destination`, hint);
  }
  const isHeredoc = (word: Token): boolean =>
    statement.heredocs.length > 0 && heredocStart(word.text) !== undefined;
  if (isHeredoc(destination)) {
    fail(
      statement,
      destination,
      `${keyword} cannot have a heredoc as its destination`,
      'put the destination last',
    );
  }
  const given = words.slice(0, -1);
  const names = given.filter(isHeredoc).map((word) => heredocStart(word.text)!.name);
  return {
    sources: given.filter((word) => !isHeredoc(word)).map(({ text }) => text),
    destination: destination.text,
    heredocs: statement.heredocs.filter((doc: Heredoc) => names.includes(doc.name)),
  };
}

function wordsOf(statement: Statement): Token[] {
  const { rest } = statement;
  const json = parseJsonForm(rest.text);
  if (json === 'mixed')
    fail(statement, rest, 'a JSON list may hold strings only', 'put every element in double quotes');
  if (json) return json.map((text) => ({ ...rest, text }));
  return plainWords(rest.text, rest.start);
}
