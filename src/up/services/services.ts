import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { createNotes } from '../../devcontainer/compose/notes.ts';
import type { Condition, ProjectService } from '../../devcontainer/compose/services.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import { type OwnIds, ROOT_IDS } from '../../sys/user-namespace.ts';
import { createRunInside } from '../container.ts';
import { lastLine } from '../launch.ts';
import { resolveMounts } from '../mounts.ts';
import { addHosts, networkFiles } from '../network-files.ts';
import type { ContainerSpec } from '../spec.ts';
import type { ContainerStore } from '../store.ts';
import type { PrepareDeps } from '../types.ts';
import { hostnameOf, restartOf, serviceCommand } from './command.ts';
import { noteKeys } from './compose-keys.ts';
import { explainEnd } from './ends.ts';
import { fingerprint, isSame } from './fingerprint.ts';
import { healthCheckOfImage, untilHealthy } from './health.ts';
import { projectHosts } from './hosts.ts';
import { serviceFiles, serviceMounts } from './mounts.ts';
import {
  checkDeclaredPorts,
  declaredPorts,
  holderOf,
  listeners,
  listenersBelow,
  portConflict,
} from './ports.ts';
import type { UpProject } from './read.ts';
import { rightsOf } from './rights.ts';
import {
  type FoundService,
  findService,
  forgetEnds,
  listServices,
  type ServicePlace,
  servicePlace,
  signalOf,
  writeLoop,
  writeOwn,
  writeService,
} from './store.ts';
import { endService, startService } from './supervise.ts';

/** What Docker gives a container to end by itself. */
const USUAL_GRACE_SECONDS = 10;
const LOOK_MS = 50;

/** The dev container that services stand beside. */
export interface Beside {
  /** Its name. */
  readonly name: string;
  readonly ids: OwnIds | undefined;
  /** Its first process, once there is one. */
  readonly pid: () => number | undefined;
}

export interface ServicesDeps extends PrepareDeps {
  readonly store: ContainerStore;
  readonly env: Environment;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** The services beside a dev container. */
export interface Services {
  /** Makes the files of those that are new or changed, and ends those that are not wanted any more. @throws AppError */
  prepare(): Promise<void>;
  /** Starts those that come before the dev container, and waits for what that waits for. @throws AppError START_FAILED */
  startBefore(): Promise<void>;
  /** Starts the others. @throws AppError START_FAILED */
  startBehind(): Promise<void>;
  /** Says which have ended since. @throws AppError DEVCONTAINER where two want one port */
  check(): void;
}

/**
 * The services of a project beside its dev container: those that run stay, unless the Compose files say something else of
 * them now; those that have ended are started again.
 * @throws AppError DEVCONTAINER where two of them say that they want one port, and for values that are wrong
 */
export function createServices(project: UpProject, beside: Beside, deps: ServicesDeps): Services {
  const { store, emit, signal } = deps;
  const container = store.place(beside.name).directory;
  const notes = createNotes('here');
  const all = project.project.services;
  const at = all.indexOf(project.own);
  const specs = new Map(project.others.map((service) => [service.name, mountsOf(service)]));
  const said = new Set<string>();
  /** How often those that ran already had ended by then. */
  const endedBefore = new Map<string, number>();
  const started = new Set<string>();
  checkDeclaredPorts(all);
  noteKeys(project, notes);
  serviceMounts(project.own, project, beside.name, notes.add);
  serviceFiles(project.own, project, deps.env, notes.add);

  return {
    prepare: async () => {
      if (beside.pid() === undefined)
        for (const text of notes.list()) emit({ type: 'warning', code: 'DEVCONTAINER', text });
      const wanted = new Set(project.others.map(({ name }) => name));
      for (const found of listServices(container))
        if (!wanted.has(found.record.name)) await removeService(found);
      const { name, dependsOn } = project.own;
      writeOwn(container, { name, dependsOn: [...dependsOn.keys()] });
      for (const service of project.others) await prepareOne(service);
    },
    startBefore: async () => {
      for (const service of all.slice(0, at)) await start(service);
      await waitFor(project.own);
    },
    startBehind: async () => {
      for (const service of all.slice(at + 1)) await start(service);
    },
    check: () => {
      for (const { name } of project.others) {
        const found = findService(container, name);
        if (!found) continue;
        const code = found.exitCodes.slice(endedBefore.get(name) ?? 0).at(-1);
        if (code !== undefined && code !== 0 && !said.has(name)) sayEnded(found, code);
        if (started.has(name) && found.loop) sayOpen(name, found.loop.pid);
      }
    },
  };

  /** What of a service is known before its image is. */
  function mountsOf(service: ProjectService): Pick<ContainerSpec, 'mounts' | 'files'> {
    const { directory } = servicePlace(container, service.name);
    const wanted = serviceMounts(service, project, beside.name, notes.add);
    return {
      mounts: resolveMounts(wanted, { volume: store.volume, own: `${directory}/volumes` }, emit),
      files: serviceFiles(service, project, deps.env, notes.add),
    };
  }

  async function removeService({ record, place, loop }: FoundService): Promise<void> {
    if (loop) await endService(loop, { ...record.stop, signal: signalOf(record.stop.signal) });
    await deps.remove(place.directory, beside.ids);
  }

  async function prepareOne(service: ProjectService): Promise<void> {
    const { name, dependsOn, stopGracePeriod = USUAL_GRACE_SECONDS } = service;
    const what = { service, ...specs.get(name)! };
    const found = findService(container, name);
    const changed = found !== undefined && !isSame(found.record.fingerprint, what);
    if (found?.record.image !== undefined && !changed) {
      if (found.process) endedBefore.set(name, found.exitCodes.length);
      return;
    }
    const text = changed ? `the service ${name} is made anew: it has changed` : `the service ${name} is made`;
    emit({ type: 'message', level: 'info', text });
    const place = servicePlace(container, name);
    if (found) await removeService(found);
    else if (existsSync(place.directory)) await deps.remove(place.directory, beside.ids);
    const record = {
      ...{ name, fingerprint: fingerprint(what), dependsOn: [...dependsOn.keys()] },
      stop: { signal: String(service.all.stop_signal ?? 'SIGTERM'), graceMs: stopGracePeriod * 1000 },
    };
    writeService(container, record);
    const image = await build(name, place);
    const signalName = String(service.all.stop_signal ?? image.StopSignal ?? 'SIGTERM');
    writeService(container, { ...record, image, stop: { ...record.stop, signal: signalName } });
  }

  async function build(service: string, { directory, rootfs }: ServicePlace): Promise<ContainerConfig> {
    const { ids } = beside;
    if (ids === undefined || (ids.uid === ROOT_IDS.uid && ids.gid === ROOT_IDS.gid))
      return deps.build({ service, rootfs }, ids);
    // As for the dev container: caches are the user's, and owners of files those of the image.
    await deps.build({ service }, ROOT_IDS);
    return deps.build({ service, rootfs, again: `${directory}/again` }, ids);
  }

  async function start(service: ProjectService): Promise<void> {
    await waitFor(service);
    const { name } = service;
    const found = findService(container, name)!;
    if (found.process) return addHosts(found.place.directory, projectHosts(all));
    // One that is held by a `down` that was killed, or waits for its next start.
    if (found.loop) await endService(found.loop);
    if (isDone(found)) return;
    signal.throwIfAborted();
    checkTaken(service);
    const {
      place,
      record: { image = {} },
    } = found;
    const rights = rightsOf(service);
    forgetEnds(place);
    const spec = specs.get(name)!;
    const { directory, rootfs, log, ends } = place;
    await startService(
      {
        root: rootfs,
        mounts: [...networkFiles(directory, hostnameOf(service), projectHosts(all)), ...spec.mounts],
        files: spec.files ?? [],
        hostname: hostnameOf(service),
        ...rights,
        command: serviceCommand(service, { image, rootfs }),
      },
      {
        ...{ name, ids: beside.ids, log, ends, restart: restartOf(service), emit },
        init: service.all.init === true,
        keep: (mark) => writeLoop(place, mark),
      },
    );
    started.add(name);
    emit({ type: 'message', level: 'info', text: `the service ${name} is started` });
  }

  /** Whether a service has done its work for a dev container that still runs. */
  function isDone({ record: { name }, exitCodes }: FoundService): boolean {
    const awaited = all.some(({ dependsOn }) => dependsOn.get(name) === 'service_completed_successfully');
    return awaited && exitCodes.at(-1) === 0 && beside.pid() !== undefined;
  }

  async function waitFor(service: ProjectService): Promise<void> {
    for (const [name, condition] of service.dependsOn) {
      const other = all.find((one) => one.name === name);
      if (other === undefined || condition === 'service_started') continue;
      if (other === project.own) continue;
      await (condition === 'service_healthy' ? healthy(other, service) : completed(other, service));
    }
  }

  async function healthy(service: ProjectService, waiting: ProjectService): Promise<void> {
    const { name } = service;
    const { image = {} } = findService(container, name)!.record;
    const check =
      service.healthCheck === 'none' ? undefined : (service.healthCheck ?? healthCheckOfImage(image));
    if (check === undefined)
      throw new AppError(
        'DEVCONTAINER',
        `${waiting.name} waits for ${name} to be healthy, and it has no health check`,
        {
          where: waiting.whereOf('depends_on'),
          hint: `add "healthcheck" to the service ${name}`,
        },
      );
    const text = await untilHealthy(check, async () => {
      signal.throwIfAborted();
      const found = findService(container, name)!;
      if (!found.loop) throw notThere(found, waiting, 'service_healthy');
      const pid = found.process?.pid;
      if (pid === undefined) return 'it has ended, and is started again';
      return ask(service, found, pid, check);
    });
    if (text === undefined) return;
    throw new AppError(
      'START_FAILED',
      `the service ${name}, which ${waiting.name} waits for, is not healthy: ${text}`,
      {
        where: service.whereOf('healthcheck'),
        hint: `its output is in ${servicePlace(container, name).log}`,
      },
    );
  }

  async function ask(
    service: ProjectService,
    { place, record: { image = {} } }: FoundService,
    pid: number,
    { command, timeout }: { readonly command: readonly string[]; readonly timeout: number },
  ): Promise<string | undefined> {
    const output: Buffer[] = [];
    const late = AbortSignal.timeout(timeout * 1000);
    try {
      const run = createRunInside({ pid, ids: beside.ids, log: place.log, ...rightsOf(service) });
      const { exitCode, failure } = await run(
        serviceCommand(service, { image, rootfs: place.rootfs, argv: command }),
        {
          onOutput: (_, chunk) => output.push(chunk),
          signal: AbortSignal.any([signal, late]),
        },
      );
      if (exitCode === 0) return undefined;
      const words = lastLine(Buffer.concat(output).toString('utf8'));
      return failure?.message ?? (words === '' ? `its check ended with code ${exitCode}` : words);
    } catch (error) {
      signal.throwIfAborted();
      if (late.aborted) return `its check took longer than ${timeout} s`;
      return error instanceof Error ? error.message : String(error);
    }
  }

  async function completed(service: ProjectService, waiting: ProjectService): Promise<void> {
    for (; ; await sleep(LOOK_MS)) {
      signal.throwIfAborted();
      const found = findService(container, service.name)!;
      if (found.exitCodes.at(-1) === 0) return;
      if (!found.loop) throw notThere(found, waiting, 'service_completed_successfully');
    }
  }

  function notThere(found: FoundService, waiting: ProjectService, condition: Condition): AppError {
    const { name } = found.record;
    const code = found.exitCodes.at(-1);
    const conflict = code === undefined ? undefined : conflictOf(found);
    if (conflict) return conflict;
    const how = code === undefined ? 'has ended' : `has ended with code ${code}${wordsOf(found)}`;
    return new AppError(
      'START_FAILED',
      `the service ${name}, which ${waiting.name} waits for (${condition}), ${how}`,
      {
        where: waiting.whereOf('depends_on'),
        hint: `its output is in ${found.place.log}`,
      },
    );
  }

  /** A server that listens everywhere is no business of this machine alone, as it would be under Docker. */
  function sayOpen(name: string, pid: number): void {
    const open = listenersBelow(pid).filter(({ everywhere }) => everywhere);
    for (const port of new Set(open.map((one) => one.port))) {
      const text = `the service ${name} listens on port ${port} of all addresses of this machine`;
      if (!said.has(text)) emit({ type: 'message', level: 'info', text });
      said.add(text);
    }
  }

  function sayEnded(found: FoundService, code: number): void {
    const { name } = found.record;
    said.add(name);
    const conflict = conflictOf(found);
    if (conflict) throw conflict;
    const again = found.loop ? ', and is started again' : '';
    const text = `the service ${name} has ended with code ${code}${wordsOf(found)}${again}; its output is in ${found.place.log}`;
    emit({ type: 'warning', code: 'START_FAILED', text });
  }

  /** Whether a service has ended because another one of the project has the port that it wants. */
  function conflictOf(found: FoundService): AppError | undefined {
    const service = all.find(({ name }) => name === found.record.name)!;
    return explainEnd(service, textOf(found.place.log), others(service));
  }

  /** Who of the project listens, besides one. */
  function others(except: ProjectService): readonly { readonly name: string; readonly port: number }[] {
    const known = listeners();
    return all.flatMap((service) => {
      const pid = service === project.own ? beside.pid() : findService(container, service.name)?.loop?.pid;
      if (service === except || pid === undefined) return [];
      return listenersBelow(pid, known).map(({ port }) => ({ name: service.name, port }));
    });
  }

  /** @throws AppError where somebody listens already on a port that a service says it wants */
  function checkTaken(service: ProjectService): void {
    const known = listeners();
    for (const declared of declaredPorts(service)) {
      const port = Number(/^(\d+)\/tcp$/.exec(declared)?.[1]);
      const taken = known.find((one) => one.port === port);
      if (!taken) continue;
      const other = others(service).find((one) => one.port === port);
      if (other) throw portConflict(port, [other.name, service.name], service);
      const holder = holderOf(taken);
      const who = holder === undefined ? '' : ` by ${holder.program} (process ${holder.pid})`;
      throw new AppError(
        'START_FAILED',
        `port ${port}, which the service ${service.name} listens on, is taken on this machine${who}`,
        {
          where: service.whereOf(service.ports.length > 0 ? 'ports' : 'expose'),
          hint: 'end that one, or have the service listen on another port: containers have the network of the machine',
        },
      );
    }
  }
}

function wordsOf({ place }: FoundService): string {
  const words = lastLine(textOf(place.log));
  return words === '' ? '' : `: ${words}`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
