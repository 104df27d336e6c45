import { join, resolve } from 'node:path';
import { toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { type HookMoment, LIFECYCLE } from '../devcontainer/lifecycle.ts';
import { createBeneath, withBeneath } from '../sys/beneath.ts';
import { removeOutputFile, writeOutputText } from '../sys/output-file.ts';
import type { UserCommand } from '../sys/run-as.ts';
import { type Account, findAccount } from './account.ts';
import {
  composeEnvironment,
  exportLines,
  type StartEnvironment,
  type UnknownVariable,
  type Variables,
  withAccount,
} from './environment.ts';
import { hookScript, type NamedHooks, runHooks } from './hooks.ts';
import { initUser } from './init-user.ts';
import { type ObtainedImage, obtainImage } from './obtain-image.ts';
import { giveToUser } from './ownership.ts';
import { runSetupScript } from './setup-script.ts';
import { quoteWord } from './shell-words.ts';
import { writeBuilt } from './state.ts';
import type { StartDeps, StartedDevcontainer, StartRequest } from './types.ts';
import { probeUserEnvironment } from './user-env.ts';

/** Bytes of /etc/environment. */
const MOST_ENVIRONMENT = 1024 * 1024;

/**
 * A start from the workspace to the command that the container ends up in. The caller replaces itself by that command.
 * @throws AppError of any code; what is on the file system is then what the last step left
 */
export async function runStart<Source>(request: StartRequest, deps: StartDeps<Source>): Promise<UserCommand> {
  const { root, ownDir, env: container } = request;
  const { emit, signal } = deps;
  const image = await obtainImage(request, deps);
  const { devcontainer, config, workspace } = image;
  writeBuilt(ownDir, image);
  signal.throwIfAborted();

  const { user, source, note } = initUser(request.initUser, devcontainer, config);
  if (note !== undefined) emit({ type: 'message', level: 'info', text: note });
  const account = findAccount(root, user, source);
  const composed = composeEnvironment({
    container,
    ...etcEnvironment(root),
    imageEnv: config.Env ?? [],
    ...(devcontainer.configFile === undefined ? {} : { devcontainerFile: devcontainer.configFile }),
    containerEnv: devcontainer.containerEnv,
    remoteEnv: devcontainer.remoteEnv,
    ...(devcontainer.envOrigins === undefined ? {} : { origins: devcontainer.envOrigins }),
    home: account.home,
  });
  for (const one of composed.unknown) warnOfUnknown(one, emit);
  if (request.exportEnvFile !== undefined && image.built)
    await writeFileIn(root, request.exportEnvFile, exportLines(composed), { mode: 0o644, signal });

  const rootAccount = findAccount(root, '0', 'root');
  await giveToUser(account, workspace, { root, emit });
  const cwd = devcontainer.workspaceFolder ?? workspace.folder;
  makeDirectories(cwd);

  const env = await userEnvironment(composed, account, devcontainer, deps);
  await runEntrypoints(devcontainer, config.User ?? '', { request, env: composed.env, cwd, deps });
  await runLifecycle(request, image, { account, env, cwd, deps });

  const first = { command: request.initCommand, args: request.initArgs, user };
  const init = !request.setupScript
    ? first
    : await runSetupScript(request.setupScript, first, account.name, {
        runAs: deps.runAs,
        root: rootAccount,
        env: composed.env,
        cwd,
        envFile: join(ownDir, 'environ'),
        terminal: request.terminal,
        emit,
        signal,
      });
  const target = init.user === user ? account : findAccount(root, init.user, 'TARGET_USER');
  const targetEnv = init.user === user ? env : withAccount(composed.env, target);
  emit({
    type: 'message',
    level: 'info',
    text: `starting ${[init.command, ...init.args].map(quoteWord).join(' ')} as ${target.name}`,
  });
  const { uid, gid, groups } = target;
  return { argv: [init.command, ...init.args], env: targetEnv, cwd, uid, gid, groups };
}

function warnOfUnknown({ name, property, origin }: UnknownVariable, emit: Emit): void {
  emit({
    type: 'warning',
    code: 'DEVCONTAINER',
    text: `${property} of ${origin} has \${${name}}, which nothing sets; it stays as it is`,
    hint: `write \${containerEnv:${name}:DEFAULT} for a variable that may be missing`,
  });
}

function etcEnvironment(root: string): { readonly etcEnvironment?: string } {
  try {
    const bytes = withBeneath(createBeneath(), root, (directory) =>
      directory.readFile('/etc/environment', { limit: MOST_ENVIRONMENT }),
    );
    return { etcEnvironment: bytes.toString('utf8') };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return {};
    throw toAppError(error, 'START_FAILED', 'cannot read /etc/environment of the image', {
      hint: 'it has to be a file of variables, or not to be there',
    });
  }
}

/** What the user's own shell adds, below what the dev container sets for the user's processes. */
async function userEnvironment<Source>(
  { env: composed, remoteEnv }: StartEnvironment,
  account: Account,
  { userEnvProbe }: StartedDevcontainer,
  { runAs, emit, signal }: StartDeps<Source>,
): Promise<Variables> {
  const env = withAccount(composed, account);
  const probed = await probeUserEnvironment(userEnvProbe, { runAs, account, env, emit, signal });
  if (probed === env) return env;
  const entries = Object.entries({ ...probed, ...remoteEnv });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}

interface HookContext<Source> {
  readonly env: Variables;
  readonly cwd: string;
  readonly deps: StartDeps<Source>;
}

/** Starts what features bring along, as the user of the container. */
async function runEntrypoints<Source>(
  { entrypoints, containerUser }: StartedDevcontainer,
  imageUser: string,
  { request, env, cwd, deps }: HookContext<Source> & { readonly request: StartRequest },
): Promise<void> {
  if (entrypoints.length === 0) return;
  const account = findAccount(request.root, containerUser || imageUser, 'the user of the container');
  await runHooks([{ name: 'entrypoint', hooks: entrypoints }], {
    ...deps,
    account,
    env: withAccount(env, account),
    cwd,
  });
}

/** Runs the hooks that are due, and keeps of each, as soon as it has succeeded, that it need not run again. */
async function runLifecycle<Source>(
  { root, ownDir, postStartScript }: StartRequest,
  image: ObtainedImage,
  { account, env, cwd, deps }: HookContext<Source> & { readonly account: Account },
): Promise<void> {
  const { hooks } = image.devcontainer;
  const script = postStartScript === undefined ? undefined : resolve(root, postStartScript);
  if (script !== undefined) removeOutputFile(script);
  const content = image.workspace.commit ?? '';
  let { done } = image;
  const isDue: Readonly<Record<HookMoment, (name: string) => boolean>> = {
    host: () => false,
    creation: (name) => done[name] === undefined,
    content: (name) => done[name] !== content,
    start: () => script === undefined,
    attach: () => false,
  };
  const due = LIFECYCLE.filter(({ name, runs }) => isDue[runs](name)).map(
    ({ name }): NamedHooks => ({ name, hooks: hooks[name] ?? [] }),
  );
  const onDone = (name: string): void => {
    done = { ...done, [name]: content };
    writeBuilt(ownDir, { ...image, done });
  };
  const failure = await runHooks(due, { ...deps, account, env, cwd, onDone });
  const later = hooks.postStartCommand ?? [];
  if (script !== undefined && later.length > 0 && !failure)
    await writeFileIn(root, script, hookScript(later, quoteWord), { mode: 0o755, signal: deps.signal });
}

/** Writes a file that an option names, as `writeOutputFile` does; relative paths are below the root. */
async function writeFileIn(
  root: string,
  path: string,
  text: string,
  options: { readonly mode: number; readonly signal: AbortSignal },
): Promise<void> {
  const file = resolve(root, path);
  try {
    await writeOutputText(file, text, { ...options, parents: true });
  } catch (error) {
    options.signal.throwIfAborted();
    throw toAppError(error, 'START_FAILED', `cannot write ${file}`, { where: { path: file } });
  }
}
