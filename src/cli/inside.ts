/*
 * Carries out an order of `up` or `down` as root of the ordinary user's namespace, with the arguments and the environment of
 * that command. The order comes, and the answer goes, over the channel to the process that has started this one.
 */
import { once } from 'node:events';
import { AppError } from '../core/error.ts';
import { finalError } from './command.ts';
import { type PrepareOrder, prepareContainer } from './commands/prepare-container.ts';
import type { PrepareAnswer } from './commands/prepare-inside.ts';
import { processContext } from './dispatch.ts';
import { parseOptions } from './options/parse.ts';
import { addOptionSecrets, reporterFor } from './run-context.ts';
import { untilSignalled } from './until-signalled.ts';

const ordered = once(process, 'message');
process.exitCode = await untilSignalled(async () => async (signal) => {
  const [order] = (await ordered) as [PrepareOrder];
  const answer = await carryOut(order, signal);
  await new Promise((resolve) => process.send?.(answer, resolve));
  process.disconnect?.();
  return 0;
});

async function carryOut(order: PrepareOrder, signal: AbortSignal): Promise<PrepareAnswer> {
  const context = processContext(signal);
  const [command = '', ...args] = process.argv.slice(2);
  if (command !== 'up' && command !== 'down') throw new AppError('INTERNAL', `${command} prepares nothing`);
  const parsed = parseOptions(command, args, context.env);
  addOptionSecrets(context.redactor, parsed);
  const reporter = await reporterFor(parsed, context);
  try {
    return { image: await prepareContainer(order, parsed, context, reporter.emit) };
  } catch (thrown) {
    const { code, message, hint, where, missing } = finalError(thrown, signal);
    const details = {
      ...(hint === undefined ? {} : { hint }),
      ...(where === undefined ? {} : { where }),
      ...(missing === undefined ? {} : { missing }),
    };
    return { error: { code, message, details } };
  } finally {
    reporter.close();
  }
}
