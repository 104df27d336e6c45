import type { Unit } from '../parse/unit.ts';
import type { Finding, LintRule } from './types.ts';

/** Rules about comments that describe stages and arguments. */
export const descriptionRules: readonly LintRule[] = [
  {
    name: 'InvalidDefinitionDescription',
    doc: 'A comment right above ARG or FROM … AS should begin with the name that it describes; a line with nothing but # keeps other comments apart.',
    origin: 'buildkit',
    experimental: true,
    check: ({ units }) => units.flatMap(misdescribed),
  },
];

function misdescribed(unit: Unit): Finding[] {
  const { node, statement } = unit;
  const names =
    node.kind === 'arg'
      ? node.args.map(({ key }) => key)
      : node.kind === 'from' && node.name
        ? [node.name]
        : [];
  const comment = statement.line.comments.at(-1);
  if (names.length === 0 || comment === undefined || names.includes(comment.split(' ', 1)[0]!)) return [];
  const what = node.kind === 'arg' ? 'ARG' : 'FROM';
  const wanted = names.length > 1 ? 'the name of one of its arguments' : names[0];
  return [{ unit, text: `the comment above this ${what} does not begin with ${wanted}` }];
}

/** What the comments above a definition say about it: the text behind its name, in the first that begins with it. */
export function descriptionOf(comments: readonly string[] | undefined, name: string): string | undefined {
  const found = comments?.find((comment) => name !== '' && comment.startsWith(`${name} `));
  return found?.slice(name.length + 1);
}
