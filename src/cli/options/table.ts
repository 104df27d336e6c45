import { BUILD_OPTIONS, CACHE_OPTIONS } from './build.ts';
import { KUBERNETES_OPTIONS } from './kubernetes.ts';
import { LOGIN_OPTIONS } from './login.ts';
import { OUTPUT_OPTIONS, REGISTRY_OPTIONS } from './output.ts';
import { SERVER_OPTIONS } from './registry.ts';
import { DEVCONTAINER_OPTIONS, START_OPTIONS } from './start.ts';
import { type CommandName, type OptionRow, REPORTING_COMMANDS, type ValuesOf } from './types.ts';
import { UP_OPTIONS } from './up.ts';
import { WARM_OPTIONS } from './warm.ts';
import { WORKSPACE_OPTIONS } from './workspace.ts';

const GENERAL_OPTIONS = [
  {
    name: 'progress',
    variable: 'ENVBUILDER_PROGRESS',
    type: 'string',
    default: 'auto',
    choices: ['auto', 'plain', 'json'],
    text: 'How the run is shown on standard error: auto is live on a terminal and lines elsewhere, which fold in GitHub Actions and GitLab CI, plain is lines, json is one event a line.',
    commands: REPORTING_COMMANDS,
    group: 'General',
  },
  {
    name: 'verbose',
    variable: 'ENVBUILDER_VERBOSE',
    type: 'boolean',
    text: 'Show details, all output of commands on a terminal, and the causes of errors.',
    commands: REPORTING_COMMANDS,
    group: 'General',
  },
  {
    name: 'work-dir',
    variable: 'ENVBUILDER_WORK_DIR',
    type: 'string',
    placeholder: 'DIR',
    text: 'Where a build keeps its temporary files; emptied at its end, by a process that goes on for moments where there is much. Default: envbuilder/work in $XDG_CACHE_HOME or ~/.cache; in a start /.envbuilder/work.',
    commands: ['build', 'probe', 'explain', 'start', 'up'],
    group: 'General',
  },
  {
    name: 'state-dir',
    variable: 'ENVBUILDER_STATE_DIR',
    type: 'string',
    placeholder: 'DIR',
    text: 'What is kept between builds: cache mounts and the hashes of context files. Default: envbuilder/state in $XDG_CACHE_HOME or ~/.cache; in a start /.envbuilder/state.',
    commands: ['build', 'probe', 'explain', 'read-configuration', 'start', 'up'],
    group: 'General',
  },
] as const satisfies readonly OptionRow[];

const ROWS = [
  ...BUILD_OPTIONS,
  ...CACHE_OPTIONS,
  ...OUTPUT_OPTIONS,
  ...REGISTRY_OPTIONS,
  ...LOGIN_OPTIONS,
  ...WARM_OPTIONS,
  ...KUBERNETES_OPTIONS,
  ...WORKSPACE_OPTIONS,
  ...START_OPTIONS,
  ...DEVCONTAINER_OPTIONS,
  ...UP_OPTIONS,
  ...SERVER_OPTIONS,
  ...GENERAL_OPTIONS,
] as const satisfies readonly OptionRow[];

/** Every option there is. */
export const OPTIONS: readonly OptionRow[] = ROWS;

/** A value for every option, typed by the table. */
export type Options = ValuesOf<typeof ROWS>;

export type OptionName = keyof Options;

/** The rows that a command takes. */
export function optionsOf(command: CommandName): readonly OptionRow[] {
  return OPTIONS.filter((row) => row.commands.includes(command));
}
