import { join, resolve } from 'node:path';
import { toAppError } from '../core/error.ts';
import { type Emit, timed } from '../core/events.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { quoteWord } from '../core/shell-words.ts';
import { type HookMoment, LIFECYCLE } from '../devcontainer/lifecycle.ts';
import { createBeneath, withBeneath } from '../sys/beneath.ts';
import { removeOutputFile, writeOutputText } from '../sys/output-file.ts';
import type { UserCommand } from '../sys/run-as.ts';
import { type Account, findAccount } from './account.ts';
import { type Beside, startBeside } from './beside.ts';
import { DOTFILES, fetchDotfiles, removeDotfiles } from './dotfiles.ts';
import {
  composeEnvironment,
  exportLines,
  type UnknownVariable,
  type Variables,
  withAccount,
} from './environment.ts';
import { hookScript, type NamedHooks, runHooks } from './hooks.ts';
import { initUser } from './init-user.ts';
import { type ObtainedImage, obtainImage } from './obtain-image.ts';
import { giveToUser } from './ownership.ts';
import { runSetupScript } from './setup-script.ts';
import { markStarted, writeBuilt } from './state.ts';
import type { StartDeps, StartedDevcontainer, StartRequest } from './types.ts';
import { mergeShell, probeUserEnvironment } from './user-env.ts';
import { linkWorkspace, notPlaced } from './workspace-link.ts';

/** Bytes of /etc/environment. */
const MOST_ENVIRONMENT = 1024 * 1024;

/** Of a name that is shown. */
const MOST_OF_NAME = 80;

/** What the specification has where nobody says otherwise ("userEnvProbe", "waitFor" of its reference). */
const DEFAULT_PROBE = 'loginInteractiveShell';
const DEFAULT_WAIT = 'updateContentCommand';
const LAST_TO_WAIT_FOR = 'postStartCommand';

/** Hooks wait so long for what the entrypoints of features do. */
const ENTRYPOINTS_MS = 1000;
/** After this it is said that the init command waits for a hook. */
const HELD_UP_MS = 10_000;
const NO_WAITING =
  'with "waitFor" in devcontainer.json, or ENVBUILDER_WAIT_FOR, hooks behind one run beside the init command';
const NOT_ATTACHED =
  'postAttachCommand is for the moment when an editor attaches, which is not seen here; ENVBUILDER_RUN_ATTACH=true runs it';

/**
 * A start from the workspace to the command that the container ends up in. The caller replaces itself by that command.
 * @throws AppError of any code; what is on the file system is then what the last step left
 */
export async function runStart<Source>(request: StartRequest, deps: StartDeps<Source>): Promise<UserCommand> {
  const { root, ownDir, env: container } = request;
  const { emit, signal } = deps;
  markStarted(ownDir, false);
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
  for (const name of composed.impossible) warnOfImpossible(name, emit);
  if (request.exportEnvFile !== undefined && image.built)
    await writeFileIn(root, request.exportEnvFile, exportLines(composed), { mode: 0o644, signal });

  const rootAccount = findAccount(root, '0', 'root');
  await giveToUser(account, workspace, { root, ownDir, emit });
  const cwd = placedWorkspace(image, emit);
  makeDirectories(cwd);

  const entrypoints = await runEntrypoints(devcontainer, config.User ?? '', {
    request,
    env: composed.env,
    cwd,
    deps,
  });
  const inFolder = devcontainer.workspaceLink === undefined ? composed.env : { ...composed.env, PWD: cwd };
  const env = withAccount(inFolder, account);
  const users = await userEnvironments(request, image, {
    ...{ account, env, cwd, deps },
    remoteEnv: composed.remoteEnv,
  });
  const hookEnv = { ...users.hooks, ...request.hookSecrets?.env };
  const later = await timed(emit, 'hooks', () =>
    runLifecycle(request, users.image, { account, env: hookEnv, cwd, deps }),
  );

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
  const targetEnv = init.user === user ? users.init : withAccount(inFolder, target);
  emit({
    type: 'message',
    level: 'info',
    text: `starting ${[init.command, ...init.args].map(quoteWord).join(' ')} as ${target.name}`,
  });
  await Promise.all([entrypoints?.handOver(), later?.handOver()]);
  markStarted(ownDir, true);
  const { uid, gid, groups } = target;
  return { argv: [init.command, ...init.args], env: targetEnv, cwd, uid, gid, groups };
}

/** Where the user's processes start. What a link leads to counts as well, which a restart finds gone or made anew. */
function placedWorkspace({ devcontainer, workspace }: ObtainedImage, emit: Emit): string {
  const { workspaceFolder = workspace.folder, workspaceLink } = devcontainer;
  const problem = workspaceLink === undefined ? undefined : linkWorkspace(workspaceLink, workspace.folder);
  if (problem === undefined) return workspaceFolder;
  emit({
    type: 'warning',
    code: 'DEVCONTAINER',
    text: notPlaced(workspaceFolder, problem, workspace.folder),
  });
  return workspace.folder;
}

function warnOfUnknown({ name, property, origin }: UnknownVariable, emit: Emit): void {
  emit({
    type: 'warning',
    code: 'DEVCONTAINER',
    text: `${property} of ${origin} has \${${name}}, which nothing sets; it stays as it is`,
    hint: `write \${containerEnv:${name}:DEFAULT} for a variable that may be missing`,
  });
}

function warnOfImpossible(name: string, emit: Emit): void {
  emit({
    type: 'warning',
    code: 'START_FAILED',
    text: `the variable ${JSON.stringify(name.slice(0, MOST_OF_NAME))} is left out: no process can have it`,
    hint: 'a variable has no NUL byte, and at most 128 KiB',
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

interface HookContext<Source> {
  readonly env: Variables;
  readonly cwd: string;
  readonly deps: StartDeps<Source>;
}

interface UserContext<Source> extends HookContext<Source> {
  readonly account: Account;
}

/** The environments of the user's processes. */
interface UserEnvironments {
  readonly hooks: Variables;
  readonly init: Variables;
  /** With what is known of the user's shell from now on. */
  readonly image: ObtainedImage;
}

/**
 * What the user's own shell adds, below what the dev container sets for the user's processes: for hooks always, as the
 * specification has it, for the init command where somebody asks for it. The shell is asked once in a container.
 */
async function userEnvironments<Source>(
  request: StartRequest,
  image: ObtainedImage,
  {
    account,
    env,
    remoteEnv,
    deps,
  }: UserContext<Source> & { readonly remoteEnv: StartedDevcontainer['remoteEnv'] },
): Promise<UserEnvironments> {
  const { devcontainer } = image;
  const asked = request.userEnvProbe ?? devcontainer.userEnvProbe;
  const kind = asked ?? DEFAULT_PROBE;
  const hasHooks =
    request.dotfiles !== undefined ||
    LIFECYCLE.some(({ name }) => (devcontainer.hooks[name] ?? []).length > 0);
  if (kind === 'none' || (asked === undefined && !hasHooks)) return { hooks: env, init: env, image };
  const of = `${kind} of ${account.uid}`;
  const known = image.shell?.of === of ? image.shell.added : undefined;
  const { runAs, emit, signal } = deps;
  const added =
    known ??
    (await probeUserEnvironment(kind, { runAs, account, env, emit, signal, asked: asked !== undefined }));
  if (added === undefined) return { hooks: env, init: env, image };
  const entries = Object.entries({ ...mergeShell(env, added), ...remoteEnv });
  const hooks = Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
  const remembered = { ...image, shell: { of, added } };
  if (known === undefined) writeBuilt(request.ownDir, remembered);
  return { hooks, init: asked === undefined ? env : hooks, image: remembered };
}

/**
 * Starts what features bring along, as the user of the container. Most of it is done at once and hooks may need it; nobody
 * waits for what goes on serving.
 */
async function runEntrypoints<Source>(
  { entrypoints, containerUser }: StartedDevcontainer,
  imageUser: string,
  { request, env, cwd, deps }: HookContext<Source> & { readonly request: StartRequest },
): Promise<Beside | undefined> {
  if (entrypoints.length === 0) return undefined;
  const account = findAccount(request.root, containerUser || imageUser, 'the user of the container');
  // One that fails does not keep the others from running, as in the shell that the reference runs them in.
  const hooks = entrypoints.map((hook) => ({ name: 'entrypoint', hooks: [hook] }));
  const beside = startBeside(
    { hooks, account, env: withAccount(env, account), cwd, evenAfterFailure: true },
    deps,
  );
  const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
  const timer = setTimeout(giveUp, ENTRYPOINTS_MS);
  await Promise.race([beside.ended, late]);
  clearTimeout(timer);
  return beside;
}

/**
 * Runs the hooks that are due, and keeps of each, as soon as it has succeeded, that it need not run again.
 * @returns those that the init command does not wait for
 */
async function runLifecycle<Source>(
  request: StartRequest,
  image: ObtainedImage,
  { account, env, cwd, deps }: UserContext<Source>,
): Promise<Beside | undefined> {
  const { root, ownDir, postStartScript, hookSecrets } = request;
  const { emit, signal } = deps;
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
    attach: () => request.runAttach,
  };
  if (!request.runAttach && hooks.postAttachCommand?.length)
    emit({ type: 'message', level: 'info', text: NOT_ATTACHED });
  const waitsFor = lastAwaited(request, image.devcontainer);
  const hooksDue = LIFECYCLE.filter(({ name, runs }) => isDue[runs](name)).map(
    ({ name }): NamedHooks => ({ name, hooks: hooks[name] ?? [] }),
  );
  const dotfiles = await dotfilesDue(request, image, { account, deps });
  const afterDotfiles = hooksDue.findIndex(({ name }) => placeOf(name) >= DOTFILES_PLACE);
  const due = hooksDue.toSpliced(afterDotfiles < 0 ? hooksDue.length : afterDotfiles, 0, ...dotfiles);
  const isAwaited = ({ name }: NamedHooks): boolean =>
    (name === DOTFILES ? DOTFILES_PLACE : placeOf(name)) <= waitsFor;
  const onDone = (name: string): void => {
    done = { ...done, [name]: content };
    writeBuilt(ownDir, { ...image, done });
  };
  const stated = request.waitFor ?? image.devcontainer.waitFor;
  const slow = {
    afterMs: HELD_UP_MS,
    tell: (name: string): void => {
      const text = `the init command has been waiting for ${name} for ${HELD_UP_MS / 1000} seconds`;
      emit({ type: 'message', level: 'info', text: `${text}; ${NO_WAITING}` });
    },
  };
  const failure = await runHooks(due.filter(isAwaited), {
    ...{ ...deps, account, env, cwd, onDone },
    ...(stated === undefined ? { slow } : {}),
  });
  const later = due.filter((one) => !isAwaited(one));
  if (dotfiles.length > 0 && (failure || !later.some(({ name }) => name === DOTFILES)))
    removeDotfiles(ownDir);
  if (failure) return undefined;
  const scripted = hooks.postStartCommand ?? [];
  if (script !== undefined && scripted.length > 0)
    await writeFileIn(root, script, hookScript(scripted, quoteWord), { mode: 0o755, signal });
  if (!later.some((one) => one.hooks.length > 0)) return undefined;
  const { workspace: _, built: __, ...state } = { ...image, done };
  const keep = { ownDir, state, content };
  return startBeside({ hooks: later, account, env, cwd, keep, masked: hookSecrets?.masked ?? [] }, deps);
}

/** The dotfiles as a hook, unless this container has them. */
async function dotfilesDue<Source>(
  { dotfiles, ownDir }: StartRequest,
  { done }: ObtainedImage,
  { account, deps }: Pick<UserContext<Source>, 'account' | 'deps'>,
): Promise<readonly NamedHooks[]> {
  const { cloneDotfiles: clone, emit, signal } = deps;
  if (dotfiles === undefined || clone === undefined || done[DOTFILES] !== undefined) return [];
  const hook = await fetchDotfiles(dotfiles, { ownDir, account, emit, signal, clone });
  return hook === undefined ? [] : [hook];
}

const placeOf = (hook: string): number => LIFECYCLE.findIndex(({ name }) => name === hook);

/** Dotfiles come before this hook, and who waits for it has waited for them. */
const DOTFILES_PLACE = placeOf('postStartCommand');

/** The place in LIFECYCLE of the last hook that the init command waits for: all of them but attaching, where nobody says. */
function lastAwaited({ waitFor: option }: StartRequest, { waitFor: stated }: StartedDevcontainer): number {
  if (option === 'specification') return placeOf(stated ?? DEFAULT_WAIT);
  return placeOf((option ?? stated ?? 'all') === 'all' ? LAST_TO_WAIT_FOR : (option ?? stated)!);
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
