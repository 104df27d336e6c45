import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { check, outline, targets } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import { requestOf } from '../requests/command-request.ts';
import type { CommandContext } from '../run-context.ts';
import { checkJson, checkText } from './check-output.ts';
import { outlineJson, outlineText } from './outline-output.ts';
import type { Call } from './parse-call.ts';
import { targetsJson, targetsText } from './targets-output.ts';

/**
 * Prints what `--call` asks for to standard output.
 * @throws AppError CHECK when the checks found something of Docker's, or the error that they met
 */
export async function callCommand(
  { method, format, ignoreStatus }: Call,
  parsed: Parsed,
  context: CommandContext,
  emit: Emit,
): Promise<void> {
  const request = await requestOf(parsed, context, emit);
  const run = { onEvent: emit, signal: context.signal };
  const print = (text: string, value: object): void => {
    const all = format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : text;
    context.stdout.write(context.redactor.text(all));
  };
  if (method === 'outline') {
    const found = await outline(request, run);
    return print(outlineText(found.described), outlineJson(found));
  }
  if (method === 'targets') {
    const found = await targets(request, run);
    return print(targetsText(found.described), targetsJson(found));
  }
  const found = await check(request, run);
  print(checkText(found), checkJson(found));
  if (ignoreStatus) return;
  if (found.error) throw found.error;
  const count = found.warnings.filter(({ origin }) => origin === 'buildkit').length;
  if (count > 0) throw new AppError('CHECK', `the checks found ${count} ${count === 1 ? 'thing' : 'things'}`);
}
