import { looksLikeJson } from '../parse/command.ts';
import { tokenRange } from '../parse/logical-line.ts';
import type { Unit } from '../parse/unit.ts';
import { isLegacyPair } from '../parse/variables.ts';
import { plainWords } from '../parse/words.ts';
import { linesRange } from '../source.ts';
import type { LintInput, LintRule } from './types.ts';

/** Rules about how things are written. */
export const textRules: readonly LintRule[] = [
  {
    name: 'NoEmptyContinuation',
    doc: 'A continued instruction should have no empty lines in it; Docker is going to reject them. The line named is the last one of the instruction, as with Docker.',
    origin: 'buildkit',
    check: ({ units }) =>
      units.flatMap((unit) =>
        unit.statement.line.emptyLines.slice(0, 1).map((line) => ({
          unit,
          text: `an empty line stands inside this instruction, in line ${line}`,
          range: linesRange(unit.statement.source, unit.statement.line.endLine, unit.statement.line.endLine),
        })),
      ),
  },
  {
    name: 'ConsistentInstructionCasing',
    doc: 'All instructions of a file should be in upper case, or all in lower case.',
    origin: 'buildkit',
    check: casing,
  },
  {
    name: 'FromAsCasing',
    doc: 'AS should have the case of its FROM.',
    origin: 'buildkit',
    check: ({ units }) =>
      units.flatMap((unit) => {
        const { keyword, rest } = unit.statement;
        const as = unit.node.kind === 'from' ? plainWords(rest.text, rest.start)[1] : undefined;
        if (!as || !isOneCase(keyword.text)) return [];
        const wanted =
          keyword.text === keyword.text.toLowerCase() ? as.text.toLowerCase() : as.text.toUpperCase();
        if (as.text === wanted) return [];
        return { unit, text: `"${as.text}" and "${keyword.text}" differ in case`, range: rangeOf(unit, as) };
      }),
  },
  {
    name: 'LegacyKeyValueFormat',
    doc: 'ENV and LABEL should be written name=value, not name value.',
    origin: 'buildkit',
    inStages: true,
    check: ({ units }) =>
      units.flatMap((unit) => {
        const { kind } = unit.node;
        if ((kind !== 'env' && kind !== 'label') || !isLegacyPair(unit.statement)) return [];
        const name = kind.toUpperCase();
        return { unit, text: `"${name} name=value" should replace the older "${name} name value"` };
      }),
  },
  {
    name: 'MaintainerDeprecated',
    doc: 'MAINTAINER is deprecated; a label names the author instead.',
    origin: 'buildkit',
    check: ({ units }) =>
      units
        .filter(({ node }) => node.kind === 'maintainer')
        .map((unit) => ({
          unit,
          text: 'MAINTAINER is deprecated, use LABEL org.opencontainers.image.authors=…',
        })),
  },
  {
    name: 'MalformedExecForm',
    doc: 'A command that begins like a JSON list but is none is run by the shell, which is seldom meant.',
    origin: 'ours',
    check: ({ units }) =>
      units.flatMap((unit) => {
        const { rest } = unit.statement;
        const takes = ['run', 'cmd', 'entrypoint', 'copy', 'add', 'volume'].includes(unit.node.kind);
        if (!takes || !looksLikeJson(rest.text)) return [];
        return {
          unit,
          text: 'this looks like a JSON list but is none, so it is taken as plain text',
          range: rangeOf(unit, rest),
        };
      }),
  },
];

function casing({ units }: LintInput) {
  const staged = units.filter(({ stage }) => stage >= 0);
  const words = staged.map(({ statement }) => statement.keyword.text).filter(isOneCase);
  const lower = words.filter((word) => word === word.toLowerCase()).length;
  const toLower = lower > words.length - lower;
  return staged.flatMap((unit) => {
    const { keyword } = unit.statement;
    const wanted = toLower ? keyword.text.toLowerCase() : keyword.text.toUpperCase();
    if (keyword.text === wanted) return [];
    const text = `"${keyword.text}" should be ${wanted}, as most instructions here are in ${toLower ? 'lower' : 'upper'} case`;
    return { unit, text, range: rangeOf(unit, keyword) };
  });
}

function isOneCase(word: string): boolean {
  return word === word.toLowerCase() || word === word.toUpperCase();
}

function rangeOf({ statement }: Unit, token: Parameters<typeof tokenRange>[2]) {
  return tokenRange(statement.source, statement.line, token);
}
