import { AppError } from '../../core/error.ts';
import type { FoundContainer } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { openContainers } from '../requests/container-request.ts';
import { tableFormat } from './explain.ts';
import { tableText } from './table-text.ts';

/** `envbuilder list`: the containers of the user, on standard output as a table or as JSON. */
export const listCommand: CommandBody = async ({ options, operands }, context) => {
  if (operands.length > 0) throw new AppError('USAGE', `unexpected argument ${operands[0]}`);
  const format = tableFormat(options);
  const store = await openContainers(options, context);
  const all = store.list().map(shown);
  const rows = all.map(({ name, id, status, folder }) => [name, id.slice(0, 12), status, folder]);
  const text = tableText(['NAME', 'ID', 'STATUS', 'FOLDER'], rows);
  context.stdout.write(format === 'json' ? `${JSON.stringify(all)}\n` : `${text}\n`);
};

function shown({ record, pid }: FoundContainer) {
  const { name, id, folder, configFile, created, remoteUser, scope, image } = record;
  const status = pid !== undefined ? 'running' : image === undefined ? 'incomplete' : 'stopped';
  return {
    ...{ name, id, status, folder, configFile, created },
    ...(remoteUser === undefined ? {} : { remoteUser }),
    remoteWorkspaceFolder: scope.containerWorkspaceFolder ?? '/',
    ...(pid === undefined ? {} : { pid }),
  };
}
