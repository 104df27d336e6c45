import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { configFileOf } from '../devcontainer/load.ts';
import type { DefinitionRequest } from '../devcontainer/types.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { findAccount } from '../start/account.ts';
import { type Variables, withAccount } from '../start/environment.ts';
import { hasSubordinateIds, type OwnIds, ROOT_IDS } from '../sys/user-namespace.ts';
import { atRest } from './at-rest.ts';
import { startContainer } from './container.ts';
import { type DescribedContainer, describeContainer, environmentOf, warnNotGiven } from './describe.ts';
import { endAll, removeContainer } from './down.ts';
import { containerEnvironment, runningEnvironment } from './environment.ts';
import { firstProcess } from './first-process.ts';
import { type LifecycleRequest, runInitialize, runLifecycle } from './lifecycle.ts';
import { resolveMounts, type WantedMount } from './mounts.ts';
import { addHosts, networkFiles } from './network-files.ts';
import { isThere, type ProcessMark } from './process-mark.ts';
import { projectHosts } from './services/hosts.ts';
import { serviceFiles, serviceMounts } from './services/mounts.ts';
import { createServices } from './services/services.ts';
import { type ContainerStore, nameOf } from './store.ts';
import type { ContainerRecord, FoundContainer, PrepareDeps, UpResult } from './types.ts';

/** What `up` is asked for; made by the command line. */
export interface UpRequest extends LifecycleRequest {
  readonly definition: DefinitionRequest;
  readonly name?: string;
  readonly removeExisting: boolean;
  readonly expectExisting: boolean;
  readonly mounts: readonly WantedMount[];
}

export interface UpDeps extends PrepareDeps {
  readonly store: ContainerStore;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Told which container it is, as soon as that is known. */
  readonly onContainer: (id: string) => void;
}

/** What a container has to end by itself when `up` is interrupted, in milliseconds; up itself has four seconds. */
const LAST_MS = 1500;

/** Guessed before the image's files are there; most images of dev containers have their user under it. */
const USUAL_ID = 1000;

/**
 * Has the dev container of a folder run: the one that is there, started again where it does not run, else a new one. Hooks
 * run as the reference implementation runs them.
 * @throws AppError of any code; a container that is there by then stays
 */
export async function up(request: UpRequest, deps: UpDeps): Promise<UpResult> {
  const { definition } = request;
  const { store, emit, signal } = deps;
  const configFile = configFileOf(definition, { emit });
  const folder = definition.workspaceFolder;
  const isOurs = ({ record }: FoundContainer): boolean =>
    record.folder === folder && record.configFile === configFile;
  const name = request.name ?? store.list().find(isOurs)?.record.name ?? nameOf(folder, configFile);
  const release = await store.lock(name, signal, () =>
    emit({ type: 'message', level: 'info', text: `waiting for another envbuilder that works on ${name}` }),
  );
  const wasRunning = store.process(name) !== undefined;
  try {
    let found = store.find(name);
    if (found && !isOurs(found)) throw nameTaken(found.record);
    if (request.expectExisting && !found?.record.image) {
      throw new AppError('START_FAILED', `there is no dev container of ${folder}`, {
        hint: 'leave out --expect-existing-container to have it made',
      });
    }
    const isNew = request.removeExisting || !found?.record.image;
    await runInitialize(describeContainer(configFile, found?.record.image ?? {}, definition), folder, {
      ...{ emit, signal, env: request.env },
    });
    if (isNew && (found || existsSync(store.place(name).directory))) {
      await removeContainer(name, deps);
      found = undefined;
    }
    const record = isNew ? await create({ name, folder, configFile }, request, deps) : found!.record;
    deps.onContainer(record.id);
    const described = describeContainer(configFile, record.image!, definition);
    const running = store.process(name);
    const { project } = described;
    const services =
      project && createServices(project, { name, ids: record.ids, pid }, { ...deps, env: definition.env });
    await services?.prepare();
    await services?.startBefore();
    const image = environmentOf(record.image!);
    const { privileged, capabilities, dropped } = described;
    const inside = { ids: record.ids, privileged, capabilities, dropped, log: store.place(name).log };
    const env = running
      ? await runningEnvironment(
          { pid: running.pid, ...inside },
          { image, described, hostname: name },
          signal,
        )
      : containerEnvironment(image, described, name);
    if (!running) warnNotGiven(described, folder, emit);
    else if (project) addHosts(store.place(name).directory, projectHosts(project.project.services));
    const mark = running ?? (await start(record, described, env, { request, deps }));
    await services?.startBehind();
    services?.check();
    await runLifecycle({ record, described, env, mark }, request, deps);
    services?.check();
    if (!running) await atRest(mark, signal);
    if (!isThere(mark)) throw hasEnded(store.place(name).log);
    const { remoteUser } = described.devcontainer;
    const { workspaceFolder: remoteWorkspaceFolder } = described;
    return { outcome: 'success', containerId: record.id, remoteUser, remoteWorkspaceFolder };
  } catch (error) {
    // Nobody waits for it any more. One that ran before is somebody else's as well.
    if (signal.aborted && !wasRunning)
      await endAll(store.place(name).directory, store.process(name), LAST_MS);
    throw error;
  } finally {
    release();
  }

  function pid(): number | undefined {
    return store.process(name)?.pid;
  }
}

function hasEnded(log: string): AppError {
  return new AppError('START_FAILED', 'the container ended before it was ready', {
    hint: `its output is in ${log}; without "overrideCommand": false it waits instead of running its own command`,
  });
}

function nameTaken({ name, folder }: ContainerRecord): AppError {
  return new AppError('USAGE', `the container ${name} is that of ${folder}`, {
    hint: 'give another --name, or end that one with envbuilder down --name',
  });
}

async function create(
  { name, folder, configFile }: Pick<ContainerRecord, 'name' | 'folder' | 'configFile'>,
  { definition }: UpRequest,
  deps: UpDeps,
): Promise<ContainerRecord> {
  const { store, build, remove } = deps;
  const { scope } = describeContainer(configFile, {}, definition).devcontainer;
  const { directory, rootfs } = store.place(name);
  const id = randomBytes(32).toString('hex');
  const begun: ContainerRecord = { id, name, folder, configFile, scope, created: new Date().toISOString() };
  store.write(begun);
  if (process.geteuid?.() === 0) {
    const image = await build({ rootfs }, undefined);
    return finished(begun, image);
  }
  const image = await build({}, ROOT_IDS);
  const { remoteUser } = describeContainer(configFile, image, definition).devcontainer;
  let ids = guessedIds(remoteUser);
  for (;;) {
    store.write({ ...begun, ids });
    await build({ rootfs, again: join(directory, 'again') }, ids);
    const { uid, gid } = findAccount(rootfs, remoteUser, 'the remoteUser');
    if (isSame(ids, { uid, gid })) return finished({ ...begun, ids }, image);
    await remove(rootfs, ids);
    ids = { uid, gid };
  }

  function finished(record: ContainerRecord, config: ContainerConfig): ContainerRecord {
    const described = describeContainer(configFile, config, definition).devcontainer;
    const whole = { ...record, image: config, remoteUser: described.remoteUser };
    store.write(whole);
    return whole;
  }
}

const isSame = (a: OwnIds, b: OwnIds): boolean => a.uid === b.uid && a.gid === b.gid;

/** The user of the container is who has made it, so that both own what they write. @throws AppError PERMISSION */
function guessedIds(remoteUser: string): OwnIds {
  if (remoteUser === 'root' || remoteUser === '0') return ROOT_IDS;
  if (hasSubordinateIds()) return { uid: USUAL_ID, gid: USUAL_ID };
  throw new AppError('PERMISSION', `the user ${remoteUser} of the container needs subordinate ids`, {
    hint: 'install the package uidmap, and sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"',
  });
}

async function start(
  { name, ids, image = {} }: ContainerRecord,
  described: DescribedContainer,
  env: Variables,
  { request, deps: { store, emit } }: { readonly request: UpRequest; readonly deps: UpDeps },
): Promise<ProcessMark> {
  const { directory, rootfs, log } = store.place(name);
  const { devcontainer, privileged, capabilities, dropped, project } = described;
  const account = findAccount(rootfs, devcontainer.containerUser, 'the user of the container');
  // What of it cannot be mounted is said with all that services ask for.
  const ofService = project ? serviceMounts(project.own, project, name, () => {}) : [];
  const mounts = resolveMounts(
    [...ofService, ...described.mounts, ...request.mounts],
    { volume: store.volume, own: join(directory, 'volumes') },
    emit,
  );
  const { uid, gid, groups } = account;
  return startContainer(
    {
      root: rootfs,
      mounts: [
        ...networkFiles(directory, name, project ? projectHosts(project.project.services) : []),
        ...mounts,
      ],
      files: project ? serviceFiles(project.own, project, request.definition.env, () => {}) : [],
      hostname: name,
      ...{ privileged, capabilities, dropped },
      command: {
        argv: firstProcess(devcontainer, image, project?.own),
        env: withAccount(env, account),
        cwd: image.WorkingDir || '/',
        ...{ uid, gid, groups },
      },
    },
    { ids, log, emit, keep: (mark) => store.writeProcess(name, mark) },
  );
}
