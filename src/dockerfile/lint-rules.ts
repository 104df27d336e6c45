import { commandRules } from './lint-commands.ts';
import { stageRules } from './lint-stages.ts';
import { textRules } from './lint-text.ts';
import type { LintRule } from './lint-types.ts';
import { variableRules } from './lint-variables.ts';

/** Every rule, by name as in BuildKit's build checks, so that skip lists written for Docker work. */
export const RULES: readonly LintRule[] = [
  ...textRules,
  ...stageRules,
  ...variableRules,
  ...commandRules,
].sort((a, b) => (a.name < b.name ? -1 : 1));
