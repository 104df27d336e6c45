import { AppError } from '../../core/error.ts';
import { loadUp } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { namedContainer, openContainers } from '../requests/container-request.ts';
import { prepareDeps } from './prepare-inside.ts';

/** `envbuilder down`: ends containers, deletes them, and prints their names. */
export const downCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  if (operands.length > 1) throw new AppError('USAGE', `unexpected argument ${operands[1]}`);
  const { down } = await loadUp();
  const store = await openContainers(options, context);
  const found = options.all ? store.list() : [await namedContainer(parsed, store, operands[0], context)];
  for (const { record } of found) {
    const { signal } = context;
    const { remove } = prepareDeps(parsed, context, record.folder, emit);
    await down(record.name, { store, emit, signal, remove });
    context.stdout.write(`${record.name}\n`);
  }
};
