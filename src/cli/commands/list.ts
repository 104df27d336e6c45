import { AppError } from '../../core/error.ts';
import { type DockerEngine, type FoundContainer, loadUp } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { openContainers } from '../requests/container-request.ts';
import { openDocker } from '../requests/docker-request.ts';
import { tableFormat } from './explain.ts';
import { tableText } from './table-text.ts';

/** `envbuilder list`: the containers of the user, on standard output as a table or as JSON. */
export const listCommand: CommandBody = async (parsed, context) => {
  const { options, operands } = parsed;
  if (operands.length > 0) throw new AppError('USAGE', `unexpected argument ${operands[0]}`);
  const format = tableFormat(options);
  const all = options.docker
    ? await inDocker(await openDocker(parsed, context), context.signal)
    : (await openContainers(options, context)).list().map(shown);
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

/** The dev containers of an engine, whoever has made them. */
async function inDocker(docker: DockerEngine, signal: AbortSignal) {
  const { findContainers, FOLDER_LABEL, FILE_LABEL, OWN_LABEL } = await loadUp();
  const [ofFolders, ours] = await Promise.all(
    [FOLDER_LABEL, OWN_LABEL].map((label) => findContainers(docker, [label], signal)),
  );
  const all = new Map([...ofFolders!, ...ours!].map((one) => [one.id, one]));
  return [...all.values()].map(({ id, name, status, created, labels }) => ({
    ...{ name, id, status, folder: labels[FOLDER_LABEL] ?? '', created },
    ...(labels[FILE_LABEL] === undefined ? {} : { configFile: labels[FILE_LABEL] }),
  }));
}
