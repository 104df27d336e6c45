import { AppError } from '../../core/error.ts';
import { type ContainerStore, type DockerEngine, type FoundContainer, loadUp } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { openContainers } from '../requests/container-request.ts';
import { openDocker } from '../requests/docker-request.ts';
import { tableFormat } from './explain.ts';
import { tableText } from './table-text.ts';

/** `envbuilder list`: the containers of the user with the services beside them, on standard output as a table or as JSON. */
export const listCommand: CommandBody = async (parsed, context) => {
  const { options, operands } = parsed;
  if (operands.length > 0) throw new AppError('USAGE', `unexpected argument ${operands[0]}`);
  const format = tableFormat(options);
  const all: readonly Listed[] = options.docker
    ? await inDocker(await openDocker(parsed, context), context.signal)
    : await here(await openContainers(options, context));
  const rows = all.flatMap(({ name, id, status, folder, services = [] }) => [
    [name, id.slice(0, 12), status, folder],
    ...services.map((service) => [`${name}/${service.name}`, '', service.status, '']),
  ]);
  const text = tableText(['NAME', 'ID', 'STATUS', 'FOLDER'], rows);
  context.stdout.write(format === 'json' ? `${JSON.stringify(all)}\n` : `${text}\n`);
};

interface Listed {
  readonly name: string;
  readonly id: string;
  readonly status: string;
  readonly folder: string;
  readonly services?: readonly { readonly name: string; readonly status: string }[];
}

async function here(store: ContainerStore): Promise<readonly Listed[]> {
  const { listServices, statusOf } = await loadUp();
  return store.list().map((found) => {
    const services = listServices(store.place(found.record.name).directory).map((service) => ({
      name: service.record.name,
      status: statusOf(service),
      ...(service.process === undefined ? {} : { pid: service.process.pid }),
      log: service.place.log,
    }));
    return { ...shown(found), ...(services.length === 0 ? {} : { services }) };
  });
}

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
