import { variablesIn } from '../expand/expand.ts';
import { tokenRange } from '../parse/logical-line.ts';
import type { Unit } from '../parse/unit.ts';
import { plainWords } from '../parse/words.ts';
import type { FromInstruction } from '../types.ts';
import type { Finding, LintRule } from './types.ts';

type FromUnit = Unit & { readonly node: FromInstruction };

/** Rules about FROM. */
export const stageRules: readonly LintRule[] = [
  {
    name: 'StageNameCasing',
    doc: 'Stage names should be in lower case.',
    origin: 'buildkit',
    check: ({ units }) =>
      named(units).flatMap((unit) => {
        const { rest } = unit.statement;
        const word = plainWords(rest.text, rest.start)[2]!;
        return word.text === unit.node.name
          ? []
          : finding(unit, `stage name "${word.text}" should be in lower case`);
      }),
  },
  {
    name: 'DuplicateStageName',
    doc: 'Stage names should be unique.',
    origin: 'buildkit',
    check: ({ units }) => {
      const seen = new Set<string>();
      return named(units).flatMap((unit) => {
        const name = unit.node.name!;
        if (seen.has(name)) return finding(unit, `there is another stage named "${name}"`);
        seen.add(name);
        return [];
      });
    },
  },
  {
    name: 'ReservedStageName',
    doc: 'The names scratch and context have a meaning of their own and should not name a stage.',
    origin: 'buildkit',
    check: ({ units }) =>
      named(units)
        .filter(({ node }) => node.name === 'scratch' || node.name === 'context')
        .flatMap((unit) => finding(unit, `the stage name "${unit.node.name}" is reserved`)),
  },
  {
    name: 'RedundantTargetPlatform',
    doc: 'FROM --platform=$TARGETPLATFORM says what is the default.',
    origin: 'buildkit',
    check: ({ units }) =>
      fromUnits(units).flatMap((unit) => {
        const { platform } = unit.node;
        if (!platform || !/^\$(TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform)) return [];
        return atFlag(unit, `--platform=${platform} is the default and can go`);
      }),
  },
  {
    name: 'FromPlatformFlagConstDisallowed',
    doc: 'A constant FROM --platform builds the same platform whatever was asked for; a stage named after it is fine.',
    origin: 'buildkit',
    check: ({ units }) =>
      fromUnits(units).flatMap((unit) => {
        const { platform, name = '' } = unit.node;
        if (!platform || variablesIn(platform, unit.statement.escape).length > 0) return [];
        if (platform.split('/').some((part) => part !== '' && name.includes(part))) return [];
        return atFlag(unit, `--platform has the constant value "${platform}"`);
      }),
  },
];

/** The units that are FROM. */
export function fromUnits(units: readonly Unit[]): FromUnit[] {
  return units.filter((unit): unit is FromUnit => unit.node.kind === 'from');
}

function named(units: readonly Unit[]): FromUnit[] {
  return fromUnits(units).filter(({ node }) => node.name !== undefined);
}

function finding(unit: FromUnit, text: string): Finding[] {
  const { source, line, rest } = unit.statement;
  const word = plainWords(rest.text, rest.start)[2]!;
  return [{ unit, text, range: tokenRange(source, line, word) }];
}

function atFlag(unit: FromUnit, text: string): Finding[] {
  const { source, line, flags } = unit.statement;
  return [{ unit, text, range: tokenRange(source, line, flags[0]!) }];
}
