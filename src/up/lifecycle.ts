import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { LIFECYCLE } from '../devcontainer/lifecycle.ts';
import type { HookName, UserEnvProbe } from '../devcontainer/types.ts';
import { type Account, findAccount } from '../start/account.ts';
import { DOTFILES, type Dotfiles, dotfilesInside } from '../start/dotfiles.ts';
import type { Variables } from '../start/environment.ts';
import { type NamedHooks, runHooks } from '../start/hooks.ts';
import type { HookSecrets } from '../start/types.ts';
import type { runAs } from '../sys/run-as.ts';
import { createRunInside } from './container.ts';
import type { DescribedContainer } from './describe.ts';
import type { ProcessMark } from './process-mark.ts';
import { remoteEnvironment } from './remote-environment.ts';
import { runOnHost } from './run-on-host.ts';
import type { ContainerStore } from './store.ts';
import type { ContainerRecord } from './types.ts';

/** What decides which hooks run, and what they see. */
export interface LifecycleRequest {
  /** None of them. */
  readonly skipPostCreate: boolean;
  readonly skipPostAttach: boolean;
  /** None behind the one that waitFor names. */
  readonly skipNonBlocking: boolean;
  /** Those that a prebuild runs alone, the content always anew. */
  readonly prebuild: boolean;
  /** Where the dev container does not say. */
  readonly defaultProbe?: UserEnvProbe;
  readonly remoteEnv: Variables;
  readonly hookSecrets?: HookSecrets;
  /** With the address of their repository, which may hold a login. */
  readonly dotfiles?: Dotfiles & { readonly url: string };
  /** The environment of commands on the machine. */
  readonly env: Variables;
}

interface LifecycleDeps {
  readonly store: ContainerStore;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** The container that hooks run in. */
export interface LifecycleContainer {
  readonly record: ContainerRecord;
  readonly described: DescribedContainer;
  readonly env: Variables;
  readonly mark: ProcessMark;
}

/** Runs initializeCommand on the machine, in the workspace. @throws AppError START_FAILED when it fails */
export async function runInitialize(
  { devcontainer: { configFile = '' }, config: { initializeCommand } }: DescribedContainer,
  folder: string,
  { emit, signal, env }: Pick<LifecycleDeps, 'emit' | 'signal'> & { readonly env: Variables },
): Promise<void> {
  if (initializeCommand === undefined) return;
  const name = 'initializeCommand';
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const account = { uid, gid, groups: [gid], name: env.USER ?? String(uid), home: '', shell: '' };
  const failure = await runHooks([{ name, hooks: [{ origin: configFile, command: initializeCommand }] }], {
    ...{ runAs: runOnHost, account, env, cwd: folder, emit, signal },
  });
  if (failure) throw failed(failure.text);
}

/**
 * Runs the hooks that are due in a container, one after the other, and keeps of each that it is done.
 * @throws AppError START_FAILED when one fails; it and those behind it are due the next time
 */
export async function runLifecycle(
  { record, described, env, mark }: LifecycleContainer,
  request: LifecycleRequest,
  { store, emit, signal }: LifecycleDeps,
): Promise<void> {
  const start = `${mark.boot} ${mark.started}`;
  let done = store.done(record.name);
  const { rootfs, log } = store.place(record.name);
  const { devcontainer, privileged, capabilities, dropped } = described;
  const container = { pid: mark.pid, ids: record.ids, privileged, capabilities, dropped, log };
  await runDueHooks(
    {
      described,
      env,
      account: () => findAccount(rootfs, devcontainer.remoteUser, 'the remoteUser'),
      runAs: createRunInside(container),
      isDue: (name, moment) => (moment === 'start' ? done[name] !== start : done[name] === undefined),
      onDone: async (name) => {
        done = { ...done, [name]: start };
        store.writeDone(record.name, done);
      },
    },
    request,
    { emit, signal },
  );
}

/** A container, whatever holds it, in which hooks run. */
export interface HookPlace {
  readonly described: DescribedContainer;
  /** That of the container. */
  readonly env: Variables;
  /** Who the remoteUser is; asked for only where a hook is due. */
  readonly account: () => Account;
  readonly runAs: typeof runAs;
  /** Whether a hook has not run yet. */
  readonly isDue: (name: HookName | typeof DOTFILES, moment: string) => boolean;
  readonly onDone: (name: string) => Promise<void>;
}

/** Runs the hooks that are due. @throws AppError START_FAILED when one fails */
export async function runDueHooks(
  place: HookPlace,
  request: LifecycleRequest,
  { emit, signal }: Pick<LifecycleDeps, 'emit' | 'signal'>,
): Promise<void> {
  const { described, env, runAs, isDue, onDone } = place;
  const due = hooksDue(described, request, isDue);
  const dotfiles = dotfilesDue(described, request, isDue);
  if (!dotfiles && due.every(({ hooks }) => hooks.length === 0)) return;
  const { devcontainer, workspaceFolder: cwd } = described;
  const account = place.account();
  const later = due.findIndex(({ name }) => name === 'postStartCommand' || name === 'postAttachCommand');
  const added = dotfiles ? [dotfilesInside(dotfiles, dotfiles.url, account)] : [];
  const all = due.toSpliced(later < 0 ? due.length : later, 0, ...added);
  const users = await remoteEnvironment(
    { devcontainer, account, env, remoteEnv: request.remoteEnv, defaultProbe: request.defaultProbe },
    { runAs, emit, signal },
  );
  const failure = await runHooks(all, {
    ...{ runAs, account, cwd, emit, signal, onDone },
    env: { ...users, ...request.hookSecrets?.env },
  });
  if (failure) throw failed(failure.text);
}

/** Dotfiles come behind postCreateCommand, where `up` goes on behind it. */
function dotfilesDue(
  { devcontainer: { waitFor } }: DescribedContainer,
  { dotfiles, skipPostCreate, skipNonBlocking, prebuild }: LifecycleRequest,
  isDue: HookPlace['isDue'],
): LifecycleRequest['dotfiles'] {
  const endsBefore =
    skipPostCreate || prebuild || (skipNonBlocking && !/^post(?:Start|Attach)/.test(waitFor));
  return dotfiles && !endsBefore && isDue(DOTFILES, 'creation') ? dotfiles : undefined;
}

function failed(text: string): AppError {
  return new AppError('START_FAILED', text, { hint: 'its output is above; the next up runs it again' });
}

/** @param isDue whether a hook has not run yet */
function hooksDue(
  { devcontainer: { hooks, waitFor } }: DescribedContainer,
  { skipPostCreate, skipPostAttach, skipNonBlocking, prebuild }: LifecycleRequest,
  isDue: HookPlace['isDue'],
): readonly NamedHooks[] {
  if (skipPostCreate) return [];
  const last = prebuild ? 'updateContentCommand' : skipNonBlocking ? waitFor : 'postAttachCommand';
  const until = LIFECYCLE.findIndex(({ name }) => name === last);
  return LIFECYCLE.slice(0, until + 1)
    .filter(({ name, runs }) => {
      if (runs === 'host') return false;
      if (runs === 'attach') return !skipPostAttach;
      return (prebuild && runs === 'content') || isDue(name, runs);
    })
    .map(({ name }) => ({ name, hooks: hooks[name] }));
}
