import { AppError } from '../../core/error.ts';
import { expandWord, variablesIn } from '../expand/expand.ts';
import { PREDEFINED_ARGS } from '../predefined-args.ts';
import { fromUnits } from './stages.ts';
import type { Finding, LintInput, LintRule } from './types.ts';
import { placeOf, suggestion } from './undefined.ts';

const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;

/** Rules about ARG, ENV and the variables in words. */
export const variableRules: readonly LintRule[] = [
  {
    name: 'UndefinedArgInFrom',
    doc: 'FROM can use ARGs that stand before the first FROM, and the predefined platform ones.',
    origin: 'buildkit',
    check: undefinedInFrom,
  },
  {
    name: 'InvalidDefaultArgInFrom',
    doc: 'With the defaults of its ARGs, FROM should name an image.',
    origin: 'buildkit',
    check: invalidDefaults,
  },
  {
    name: 'SecretsUsedInArgOrEnv',
    doc: 'ARG and ENV end up in the image and its history, so they should not hold secrets; use RUN --mount=type=secret.',
    origin: 'buildkit',
    inStages: true,
    check: ({ units }) =>
      units.flatMap((unit) => {
        const { node } = unit;
        const keys =
          node.kind === 'arg' && unit.stage >= 0 ? node.args : node.kind === 'env' ? node.pairs : [];
        return keys
          .filter(({ key }) => SECRET.test(key) && !NO_SECRET.test(key))
          .map(({ key }) => ({
            unit,
            text: `${node.kind.toUpperCase()} "${key}" looks like a secret, which anybody with the image can read`,
          }));
      }),
  },
];

function undefinedInFrom({ dockerfile, units }: LintInput): Finding[] {
  const declared = dockerfile.metaArgs.flatMap(({ args }) => args.map(({ key }) => key));
  const known = new Set([...declared, ...PREDEFINED_ARGS]);
  return fromUnits(units).flatMap((unit) =>
    variablesIn(`${unit.node.image} ${unit.node.platform ?? ''}`, dockerfile.escape)
      .filter((name) => !known.has(name))
      .map((name) => ({
        unit,
        text: `no ARG before the first FROM declares ${name}${suggestion(name, known)}`,
        ...placeOf(unit, name),
      })),
  );
}

function invalidDefaults({ dockerfile, units }: LintInput): Finding[] {
  const values = new Map<string, string>(PREDEFINED_ARGS.map((name) => [name, 'x']));
  const lookup = (name: string): string | undefined => values.get(name);
  const expand = (word: string): string | undefined => {
    try {
      return expandWord(word, lookup, dockerfile.escape, {});
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
  };
  for (const { key, value } of dockerfile.metaArgs.flatMap(({ args }) => args)) {
    const expanded = value === undefined ? undefined : expand(value);
    if (expanded !== undefined) values.set(key, expanded);
  }
  return fromUnits(units).flatMap((unit) => {
    const { image } = unit.node;
    const expanded = expand(image);
    const constant = variablesIn(image, dockerfile.escape).length === 0;
    if (constant || expanded === undefined || isReference(expanded)) return [];
    return { unit, text: `with the defaults of its ARGs, ${image} is "${expanded}", which names no image` };
  });
}

/** Whether a text has the shape of an image reference (distribution reference grammar, sizes left out). */
function isReference(text: string): boolean {
  const part = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
  const host = '(?:[a-zA-Z0-9.-]+|\\[[0-9a-fA-F:]+\\])(?::\\d+)?/';
  return new RegExp(
    `^(?:${host})?${part}(?:/${part})*(?::\\w[\\w.-]{0,127})?(?:@[\\w+.-]+:[0-9a-fA-F]{32,})?$`,
  ).test(text);
}
