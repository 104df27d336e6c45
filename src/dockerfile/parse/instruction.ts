import { didYouMean } from '../../core/suggest.ts';
import type { FromInstruction, Instruction } from '../types.ts';
import { parseAdd, parseCopy } from './copy.ts';
import { parseFrom } from './from.ts';
import { parseHealthcheck } from './healthcheck.ts';
import { parseOnbuild } from './onbuild.ts';
import { parseCmd, parseEntrypoint, parseRun, parseShell } from './run.ts';
import {
  parseExpose,
  parseMaintainer,
  parseStopsignal,
  parseUser,
  parseVolume,
  parseWorkdir,
} from './simple.ts';
import { fail, keywordOf, type Statement } from './statement.ts';
import { parseArg, parseEnv, parseLabel } from './variables.ts';

const PARSERS: Readonly<Record<string, (statement: Statement) => FromInstruction | Instruction>> = {
  add: parseAdd,
  arg: parseArg,
  cmd: parseCmd,
  copy: parseCopy,
  entrypoint: parseEntrypoint,
  env: parseEnv,
  expose: parseExpose,
  from: parseFrom,
  healthcheck: parseHealthcheck,
  label: parseLabel,
  maintainer: parseMaintainer,
  onbuild: (statement) => parseOnbuild(statement, parseStatement),
  run: parseRun,
  shell: parseShell,
  stopsignal: parseStopsignal,
  user: parseUser,
  volume: parseVolume,
  workdir: parseWorkdir,
};

const NAMES = Object.keys(PARSERS).map((name) => name.toUpperCase());

/**
 * The typed instruction of a statement.
 * @throws AppError DOCKERFILE at the word that is wrong
 */
export function parseStatement(statement: Statement): FromInstruction | Instruction {
  const keyword = keywordOf(statement);
  if (Object.hasOwn(PARSERS, keyword)) return PARSERS[keyword]!(statement);
  const { text } = statement.keyword;
  fail(statement, statement.keyword, `"${text}" is no instruction`, didYouMean(text, NAMES));
}
