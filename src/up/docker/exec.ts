import { AppError } from '../../core/error.ts';
import { describeContainer } from '../describe.ts';
import type { ExecDeps, ExecRequest } from '../exec.ts';
import { remoteEnvironment } from '../remote-environment.ts';
import { accountInDocker } from './account.ts';
import type { DockerContainer } from './containers.ts';
import type { DockerEngine } from './engine.ts';
import { createRunInDocker } from './run-inside.ts';
import { environmentInDocker } from './up.ts';

/**
 * Runs a command in a container of an engine, with our own terminal or streams.
 * @param configFile of the dev container
 * @returns its exit code, 128 and more after a signal
 * @throws AppError START_FAILED where the container does not run, or there is no such user
 */
export async function execInDocker(
  container: DockerContainer,
  request: ExecRequest & { readonly configFile: string },
  { docker, emit, signal, ...inside }: Omit<ExecDeps, 'store'> & { readonly docker: DockerEngine },
): Promise<number> {
  if (!container.running) {
    throw new AppError('START_FAILED', `the container ${container.name} does not run`, {
      hint: 'envbuilder up --docker starts it',
    });
  }
  const described = describeContainer(request.configFile, container.config, request.definition);
  const { devcontainer, workspaceFolder } = described;
  const user = request.user ?? devcontainer.remoteUser;
  const known = environmentInDocker(container, described);
  const runAs = createRunInDocker({ docker, id: container.id, user, known });
  const account = await accountInDocker(docker, container, user, { why: 'the user of the command', signal });
  const env = await remoteEnvironment(
    { devcontainer, account, env: known, remoteEnv: request.remoteEnv, defaultProbe: request.defaultProbe },
    { runAs, emit, signal },
  );
  const { uid, gid, groups } = account;
  const cwd = request.workdir ?? workspaceFolder;
  const result = await runAs({ argv: request.argv, env, cwd, uid, gid, groups }, inside);
  if (result.failure) emit({ type: 'warning', code: 'START_FAILED', text: result.failure.message });
  return result.exitCode;
}
