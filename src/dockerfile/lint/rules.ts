import { commandRules } from './commands.ts';
import { descriptionRules } from './descriptions.ts';
import { plannedRules } from './planned.ts';
import { stageRules } from './stages.ts';
import { textRules } from './text.ts';
import type { LintRule } from './types.ts';
import { variableRules } from './variables.ts';

/** Every rule, by name as in BuildKit's build checks, so that skip lists written for Docker work. */
export const RULES: readonly LintRule[] = [
  ...textRules,
  ...stageRules,
  ...descriptionRules,
  ...variableRules,
  ...commandRules,
  ...plannedRules,
].sort((a, b) => (a.name < b.name ? -1 : 1));

const BY_NAME: ReadonlyMap<string, LintRule> = new Map(RULES.map((rule) => [rule.name, rule]));

/** A rule by its name. */
export function ruleNamed(name: string): LintRule | undefined {
  return BY_NAME.get(name);
}

/** What the page of a rule is called, here as in Docker's documentation: `json-args-recommended`. */
export function pageOf(rule: string): string {
  return rule.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase();
}
