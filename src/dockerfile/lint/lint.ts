import { directiveIn } from '../parse/directives.ts';
import type { Unit } from '../parse/unit.ts';
import { failAt, linesRange, type Source } from '../source.ts';
import type { Dockerfile, LintWarning } from '../types.ts';
import { type LintOptions, parseLintOptions } from './options.ts';
import { RULES } from './rules.ts';
import type { Finding, LintInput } from './types.ts';

/**
 * Applies all rules that the `check` directive and `# check=` comments above an instruction leave on; findings come in
 * the order of the file.
 * @throws AppError DOCKERFILE for a malformed directive, and with the first finding under `error=true`
 */
export function lint(
  source: Source,
  dockerfile: Omit<Dockerfile, 'warnings'>,
  units: readonly Unit[],
): readonly LintWarning[] {
  const options = optionsOf(source, dockerfile);
  if (options.skip === 'all') return [];
  const input: LintInput = { dockerfile, units };
  const warnings: LintWarning[] = [];
  for (const rule of RULES) {
    if (options.skip.has(rule.name)) continue;
    for (const finding of rule.check(input)) {
      if (!skippedAt(finding, rule.name)) warnings.push(toWarning(rule.name, finding));
    }
  }
  warnings.sort(
    (a, b) => a.range.start.line - b.range.start.line || a.range.start.column - b.range.start.column,
  );
  const [first] = warnings;
  if (options.error && first) {
    const hint = 'correct it, or take error=true out of the check directive';
    failAt(source, first.range, `${first.rule}: ${first.text}`, hint);
  }
  return warnings;
}

function optionsOf(source: Source, dockerfile: Pick<Dockerfile, 'directives'>): LintOptions {
  const text = dockerfile.directives.get('check');
  if (text === undefined) return { skip: new Set(), error: false };
  const options = parseLintOptions(text);
  if (typeof options !== 'string') return options;
  const line = source.lines.findIndex((one) => directiveIn(one)?.name === 'check') + 1;
  failAt(source, linesRange(source, line, line), options, 'write # check=skip=Rule,Rule;error=true');
}

/** Whether a comment right above the instruction turns the rule off for it. */
function skippedAt({ unit }: Finding, rule: string): boolean {
  for (const comment of unit.statement.line.comments) {
    const directive = directiveIn(`#${comment}`);
    if (directive?.name !== 'check') continue;
    const options = parseLintOptions(directive.value);
    return typeof options !== 'string' && (options.skip === 'all' || options.skip.has(rule));
  }
  return false;
}

function toWarning(rule: string, { unit, range, text }: Finding): LintWarning {
  return { rule, text, range: range ?? unit.statement.range };
}
