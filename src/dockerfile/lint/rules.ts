import { commandRules } from './commands.ts';
import { stageRules } from './stages.ts';
import { textRules } from './text.ts';
import type { LintRule } from './types.ts';
import { variableRules } from './variables.ts';

/** Every rule, by name as in BuildKit's build checks, so that skip lists written for Docker work. */
export const RULES: readonly LintRule[] = [
  ...textRules,
  ...stageRules,
  ...variableRules,
  ...commandRules,
].sort((a, b) => (a.name < b.name ? -1 : 1));
