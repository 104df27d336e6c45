import { basename } from 'node:path';
import { AppError, type Where } from '../../core/error.ts';
import { type ElementKind, type LoadedProject, loadProject, type ProjectRequest } from './load-project.ts';
import { isMapping } from './merge-service.ts';
import { type ComposeService, describeService } from './service.ts';
import {
  bytesOf,
  cpusOf,
  exposedOf,
  extraHostsOf,
  filesOf,
  type HealthCheck,
  healthCheckOf,
  portsOf,
  type ServiceFile,
  type ServicePort,
  type ServiceTmpfs,
  secondsOf,
  textsOf,
  tmpfsOf,
  type ValueReader,
  wordsOf,
} from './service-values.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** When a service that waits for another one may start. */
export type Condition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

/** One of the services of a project, with all that is needed to start it. */
export interface ProjectService extends ComposeService {
  readonly name: string;
  /** Instead of the image's; an empty list takes it away. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDir?: string;
  /** Names by which other services reach it, its own first. */
  readonly hostNames: readonly string[];
  readonly extraHosts: readonly (readonly [string, string])[];
  readonly tmpfs: readonly ServiceTmpfs[];
  readonly ports: readonly ServicePort[];
  readonly exposed: readonly ServicePort[];
  /** `none` takes that of the image away. */
  readonly healthCheck?: HealthCheck | 'none';
  /** What it waits for; those that it names otherwise (links, shared namespaces and volumes) included. */
  readonly dependsOn: ReadonlyMap<string, Condition>;
  readonly secrets: readonly ServiceFile[];
  readonly configs: readonly ServiceFile[];
  readonly readOnly: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly securityOpt: readonly string[];
  /** Bytes and processors: what it may use, and what is kept for it. */
  readonly limits: Resources;
  readonly reservations: Resources;
  /** Seconds from the signal to stop to the end. */
  readonly stopGracePeriod?: number;
  /** Where a key of it stands. */
  whereOf(key: string): Where;
}

export interface Resources {
  readonly memory?: number;
  readonly cpus?: number;
}

/** A Compose project with the services that are started. */
export interface ComposeProject {
  /** As Compose calls it; volumes begin with it. */
  readonly name: string;
  /** In the order of their starts: each behind those that it waits for. */
  readonly services: readonly ProjectService[];
  /** Names of services that are not started: of other profiles, and not chosen. */
  readonly leftOut: readonly string[];
  /** Variables that were used and are not set. */
  readonly unset: readonly string[];
  /** Elements of the top level by their names: mappings, as the files have them. */
  elements(kind: ElementKind): Readonly<Record<string, Mapping>>;
  whereOf(path: readonly string[]): Where;
}

export interface ServicesRequest extends ProjectRequest {
  /** The service that is the dev container. */
  readonly service: string;
  /** What devcontainer.json has as runServices. */
  readonly runServices?: readonly string[];
  /** What names the services. */
  readonly serviceWhere: Where;
}

/**
 * Reads the services of a Compose project that the reference implementation would start: those that runServices names and
 * the dev container's own, or all that have no profile or one of COMPOSE_PROFILES; and what these wait for.
 * @throws AppError DEVCONTAINER when files are missing or wrong, a service is not there, or services wait for each other
 */
export function composeProject(request: ServicesRequest): ComposeProject {
  const loaded = loadProject(request);
  const read = new Map<string, ProjectService>();
  const ordered: ProjectService[] = [];
  for (const name of startedNames(loaded, request)) visit(name, []);
  return {
    name: projectName(loaded),
    services: ordered,
    leftOut: loaded.services.filter((name) => !read.has(name)),
    unset: [...new Set(ordered.flatMap(({ unset }) => unset))],
    elements: (kind) =>
      Object.fromEntries(
        Object.entries(loaded.elements(kind)).map(([name, value]) => [name, isMapping(value) ? value : {}]),
      ),
    whereOf: loaded.whereOf,
  };

  function visit(name: string, waiting: readonly string[]): void {
    const where =
      waiting.length === 0 ? request.serviceWhere : whereOfKey(loaded, waiting.at(-1)!, 'depends_on');
    if (waiting.includes(name)) {
      const circle = [...waiting.slice(waiting.indexOf(name)), name].join(' -> ');
      throw new AppError('DEVCONTAINER', `services wait for each other: ${circle}`, { where });
    }
    if (read.has(name)) return;
    const service = readService(loaded, name, { ...request, serviceWhere: where });
    for (const other of service.dependsOn.keys()) visit(other, [...waiting, name]);
    read.set(name, service);
    ordered.push(service);
  }
}

/** Those that are asked for by name, or all of the chosen profiles; the dev container's own is among them. */
function startedNames(loaded: LoadedProject, request: ServicesRequest): readonly string[] {
  const { runServices = [], service, serviceWhere } = request;
  if (runServices.length > 0) return [...new Set([...runServices, service])];
  const started = loaded.services.filter((name) => isInProfile(loaded, name, serviceWhere));
  return [...new Set([...started, service])];
}

/** Whether a service has no profile, or one that is chosen. */
function isInProfile(loaded: LoadedProject, name: string, where: Where): boolean {
  const profiles = textsOf(loaded.service(name, where).service.profiles);
  const chosen = (loaded.env.COMPOSE_PROFILES ?? '').split(',');
  return profiles.length === 0 || profiles.some((one) => chosen.includes(one)) || chosen.includes('*');
}

function readService(loaded: LoadedProject, name: string, request: ServicesRequest): ProjectService {
  const merged = loaded.service(name, request.serviceWhere);
  const { service } = merged;
  const whereOf = (key: string): Where => whereOfKey(loaded, name, key);
  const reader: ValueReader = { service, whereOf };
  const described = describeService(merged, { ...request, service: name });
  const [entrypoint, command] = [wordsOf('entrypoint', reader), wordsOf('command', reader)];
  const healthCheck = healthCheckOf(reader);
  const stopGracePeriod = secondsOf(service.stop_grace_period, 'stop_grace_period', reader);
  const deploy = (kind: string): Mapping => mappingAt(service, ['deploy', 'resources', kind]);
  return {
    ...described,
    name,
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(command === undefined ? {} : { command }),
    ...(typeof service.working_dir === 'string' ? { workingDir: service.working_dir } : {}),
    hostNames: hostNamesOf(name, service),
    extraHosts: extraHostsOf(reader),
    tmpfs: tmpfsOf(reader),
    ports: portsOf(reader),
    exposed: exposedOf(reader),
    ...(healthCheck === undefined ? {} : { healthCheck }),
    dependsOn: dependenciesOf(loaded, reader),
    secrets: filesOf('secrets', reader),
    configs: filesOf('configs', reader),
    readOnly: service.read_only === true,
    capAdd: textsOf(service.cap_add),
    capDrop: textsOf(service.cap_drop),
    securityOpt: textsOf(service.security_opt),
    limits: resourcesOf(deploy('limits'), ['mem_limit', 'cpus'], reader),
    reservations: resourcesOf(deploy('reservations'), ['mem_reservation', undefined], reader),
    ...(stopGracePeriod === undefined ? {} : { stopGracePeriod }),
    whereOf,
  };
}

function whereOfKey(loaded: LoadedProject, service: string, key: string): Where {
  return loaded.whereOf(['services', service, ...key.split('.')]);
}

function resourcesOf(
  { memory, cpus }: Mapping,
  [memoryKey, cpusKey]: readonly [string, string | undefined],
  reader: ValueReader,
): Resources {
  const { service } = reader;
  const bytes = bytesOf(memory ?? service[memoryKey], memoryKey, reader);
  const count = cpusOf(
    cpus ?? (cpusKey === undefined ? undefined : service[cpusKey]),
    cpusKey ?? 'deploy',
    reader,
  );
  return {
    ...(bytes === undefined ? {} : { memory: bytes }),
    ...(count === undefined ? {} : { cpus: count }),
  };
}

function mappingAt(value: unknown, path: readonly string[]): Mapping {
  const [key, ...rest] = path;
  if (!isMapping(value)) return {};
  return key === undefined ? value : mappingAt(value[key], rest);
}

function hostNamesOf(name: string, service: Mapping): readonly string[] {
  const { hostname, container_name: container, networks } = service;
  const aliases = Object.values(isMapping(networks) ? networks : {}).flatMap((network) =>
    isMapping(network) ? textsOf(network.aliases) : [],
  );
  return [...new Set([name, ...textsOf(hostname), ...textsOf(container), ...aliases])];
}

/** What a service waits for: as it says, and because it names others (Compose Specification, "depends_on", "links"). */
function dependenciesOf(
  loaded: LoadedProject,
  { service, whereOf }: ValueReader,
): ReadonlyMap<string, Condition> {
  const found = new Map<string, Condition>();
  for (const key of ['network_mode', 'ipc', 'pid']) {
    const [kind, other] = String(service[key] ?? '').split(':');
    if (kind === 'service' && other) found.set(other, 'service_started');
  }
  for (const other of [...textsOf(service.links), ...textsOf(service.volumes_from)].map(
    (one) => one.split(':')[0]!,
  ))
    if (other !== 'container') found.set(other, 'service_started');
  const said = isMapping(service.depends_on) ? Object.entries(service.depends_on) : [];
  for (const [other, how] of said) {
    const { condition = 'service_started', required } = isMapping(how) ? how : {};
    if (required === false && !isInProfile(loaded, other, whereOf('depends_on'))) continue;
    if (!isCondition(condition))
      throw new AppError('DEVCONTAINER', `there is no condition "${String(condition)}"`, {
        where: whereOf('depends_on'),
        hint: `write ${CONDITIONS.join(', ')}`,
      });
    found.set(other, condition);
  }
  return found;
}

const CONDITIONS: readonly Condition[] = [
  'service_started',
  'service_healthy',
  'service_completed_successfully',
];

function isCondition(value: unknown): value is Condition {
  return CONDITIONS.some((one) => one === value);
}

/** As @devcontainers/cli has it: COMPOSE_PROJECT_NAME, `name` of the files, or the folder's name. */
function projectName(loaded: LoadedProject): string {
  const folder = basename(loaded.folder);
  const parent = basename(loaded.folder.slice(0, -folder.length - 1));
  const usual = folder === '.devcontainer' ? `${parent}_devcontainer` : folder;
  return (loaded.env.COMPOSE_PROJECT_NAME || loaded.name || usual).toLowerCase().replace(/[^-_a-z0-9]/g, '');
}
