import { AppError } from '../../core/error.ts';
import { loadUp } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import { namedContainer, openContainers } from '../requests/container-request.ts';
import { namedInDocker, openDocker, refuseLabels } from '../requests/docker-request.ts';
import type { CommandContext } from '../run-context.ts';
import { prepareDeps } from './prepare-inside.ts';

/** `envbuilder down`: ends containers, deletes them, and prints their names. */
export const downCommand: CommandBody = async (parsed, context, emit) => {
  const { options, operands } = parsed;
  if (operands.length > 1) throw new AppError('USAGE', `unexpected argument ${operands[1]}`);
  if (options.docker) return downInDocker(parsed, context);
  refuseLabels(parsed);
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

/** All of them are those that we have made; one that is named may be another program's. */
async function downInDocker(parsed: Parsed, context: CommandContext): Promise<void> {
  const { findContainers, removeFromDocker, OWN_LABEL } = await loadUp();
  const docker = await openDocker(parsed, context);
  const found = parsed.options.all
    ? await findContainers(docker, [OWN_LABEL], context.signal)
    : [await namedInDocker(parsed, docker, parsed.operands[0], context)];
  for (const container of found) {
    await removeFromDocker(docker, container);
    context.stdout.write(`${container.name}\n`);
  }
}
