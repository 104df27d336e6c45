import { AppError } from '../../core/error.ts';
import { directiveIn } from '../parse/directives.ts';
import type { Unit } from '../parse/unit.ts';
import { failAt, linesRange, type Source, whereIn } from '../source.ts';
import type { Dockerfile, LintWarning } from '../types.ts';
import { DEFAULT_OPTIONS, type LintOptions, mergeOptions, parseLintOptions } from './options.ts';
import { RULES, ruleNamed } from './rules.ts';
import type { Finding, LintRule } from './types.ts';

/** What decides which findings count. */
type Checked = Pick<Dockerfile, 'checks' | 'comments'>;

/** What rules find in a file by itself, in the order of the file, as its options and comments leave it. */
export function lint(
  dockerfile: Omit<Dockerfile, 'warnings'>,
  units: readonly Unit[],
): readonly LintWarning[] {
  const input = { dockerfile, units };
  const warnings = RULES.flatMap((rule) =>
    (rule.check?.(input) ?? [])
      .filter(({ unit }) => isOn(dockerfile, rule, unit.statement.line.startLine))
      .map((one) => toWarning(rule, one)),
  );
  return inOrder(warnings);
}

/**
 * The options of a file: those of its directive, or those that are given instead.
 * @param given as the build argument BUILDKIT_DOCKERFILE_CHECK has them
 * @throws AppError DOCKERFILE for a malformed directive, USAGE for malformed options that were given
 */
export function optionsOf(
  source: Source,
  directives: Dockerfile['directives'],
  given: string | undefined,
): LintOptions {
  const hint = 'write skip=Rule,Rule;error=true';
  if (given !== undefined) {
    const options = parseLintOptions(given);
    if (typeof options !== 'string') return options;
    throw new AppError('USAGE', `the build argument BUILDKIT_DOCKERFILE_CHECK is wrong: ${options}`, {
      hint,
    });
  }
  const text = directives.get('check');
  if (text === undefined) return DEFAULT_OPTIONS;
  const options = parseLintOptions(text);
  if (typeof options !== 'string') return options;
  const line = source.lines.findIndex((one) => directiveIn(one)?.name === 'check') + 1;
  failAt(source, linesRange(source, line, line), options, hint);
}

/**
 * Whether what a rule finds counts: by the options of the file, and by a comment right above the instruction.
 * @param line on which the instruction begins
 */
export function isOn(
  { checks, comments }: Checked,
  { name, experimental: hidden }: Pick<LintRule, 'name' | 'experimental'>,
  line: number,
): boolean {
  const own = ownOptions(comments.get(line));
  const { skip, experimental } = own ? mergeOptions(checks, own) : checks;
  if (hidden) return experimental === 'all' || experimental.has(name);
  return skip !== 'all' && !skip.has(name);
}

function ownOptions(comments: readonly string[] = []): LintOptions | undefined {
  for (const comment of comments) {
    const directive = directiveIn(`#${comment}`);
    if (directive?.name !== 'check') continue;
    const options = parseLintOptions(directive.value);
    return typeof options === 'string' ? undefined : options;
  }
  return undefined;
}

/** Findings in the order of the file. */
export function inOrder<T extends Pick<LintWarning, 'range'>>(warnings: readonly T[]): T[] {
  return warnings.toSorted(
    (a, b) => a.range.start.line - b.range.start.line || a.range.start.column - b.range.start.column,
  );
}

/**
 * Makes the first finding an error, where the options say so. Rules that are ours alone never are.
 * @throws AppError DOCKERFILE
 */
export function failOnFindings(dockerfile: Dockerfile, warnings: readonly LintWarning[]): void {
  const first = warnings.find(({ rule }) => ruleNamed(rule)?.origin === 'buildkit');
  if (!dockerfile.checks.error || !first) return;
  throw new AppError('DOCKERFILE', `${first.rule}: ${first.text}`, {
    where: whereIn({ ...dockerfile, returns: new Set() }, first.range),
    hint: 'correct it, or take error=true out of the check directive',
  });
}

function toWarning(rule: LintRule, { unit, range, text }: Finding): LintWarning {
  const stage = rule.inStages && unit.stage >= 0 ? { stage: unit.stage } : {};
  return { rule: rule.name, text, range: range ?? unit.statement.range, ...stage };
}
