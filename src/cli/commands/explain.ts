import { relative } from 'node:path';
import { AppError } from '../../core/error.ts';
import { type Explanation, explain } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Options } from '../options/table.ts';
import { requestOf } from '../requests/command-request.ts';

/** `envbuilder explain`: prints for every step whether the cache has it, and why not. */
export const explainCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  const format = tableFormat(options);
  const from = options.from === undefined ? {} : { from: options.from };
  const run = { onEvent: emit, signal: context.signal };
  let place = context.cwd;
  const answer = async (): Promise<Explanation> => {
    if (operands.length > 0 || !options['git-url'])
      return explain(await requestOf(parsed, context, emit), from, run);
    const { withWorkspaceBuild } = await import('./probe-repository.ts');
    const inFolder = (folder: string): void => {
      place = folder;
    };
    return withWorkspaceBuild(parsed, context, emit, (request) => explain(request, from, run), inFolder);
  };
  const explanation = await answer();
  const steps = explanation.steps.map((step) => ({ ...step, file: relative(place, step.file) || step.file }));
  const { stdout } = context;
  if (format === 'json') stdout.write(`${JSON.stringify({ ...explanation, steps })}\n`);
  else stdout.write(explanationText({ ...explanation, steps }));
};

/**
 * The form that `--output` names, of commands that print tables.
 * @throws AppError USAGE
 */
export function tableFormat({ output }: Pick<Options, 'output'>): 'text' | 'json' {
  const [format = 'text', ...more] = output;
  if (more.length === 0 && (format === 'text' || format === 'json')) return format;
  throw new AppError('USAGE', `--output is "${output.join('" and "')}"`, {
    hint: 'here it can be text or json',
  });
}

/** For people: a line for each step, and below it why it is made anew. */
export function explanationText({ since, steps }: Explanation): string {
  const lines: string[] = [];
  let stage: string | undefined;
  for (const step of steps) {
    if (step.stage !== stage) lines.push(`stage ${step.stage}`);
    stage = step.stage;
    lines.push(`  ${step.cached ? 'cached' : 'missing'}  ${step.file}:${step.line}  ${step.instruction}`);
    for (const { text, code } of step.causes) lines.push(`           ${text} [${code}]`);
  }
  const missing = steps.filter(({ cached }) => !cached).length;
  const compared =
    since === null ? '' : `; compared with the build of ${since.slice(0, 16).replace('T', ' ')}`;
  lines.push(`${steps.length - missing} of ${steps.length} steps are cached${compared}`);
  return `${lines.join('\n')}\n`;
}
