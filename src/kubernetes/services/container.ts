import { AppError } from '../../core/error.ts';
import type { Notes } from '../../devcontainer/compose/notes.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { CAPABILITIES } from '../builds.ts';
import type { Container, ServiceSettings } from '../types.ts';
import { dnsLabel, literal, quantities } from './quantities.ts';

type Port = NonNullable<Container['ports']>[number];
type SecurityContext = NonNullable<Container['securityContext']>;

const VARIABLE = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;
/** Names of containers of ours in the pod. */
const TAKEN = ['workspace', 'clone'];
const PULL_POLICIES: Readonly<Record<string, string>> = {
  always: 'Always',
  never: 'Never',
  missing: 'IfNotPresent',
  if_not_present: 'IfNotPresent',
};
const BASELINE = 'the baseline of the Pod Security Standards has no such right';

/**
 * The container of a service, without its mounts and probes.
 * @throws AppError DEVCONTAINER for a service that is built, and for which no image is given
 */
export function serviceContainer(
  service: ProjectService,
  services: ServiceSettings,
  notes: Notes,
): Container {
  const { name, entrypoint, command, workingDir, all } = service;
  for (const [key, words] of Object.entries({ entrypoint, command }))
    if (words?.length === 0 && !(key === 'command' && entrypoint?.length))
      notes.add(`${key}: nothing`, name, 'that of the image runs');
  const pullPolicy = PULL_POLICIES[String(all.pull_policy)];
  const env = variables(service, notes);
  const ports = containerPorts(service);
  const securityContext = rights(service, notes);
  const [limits, requests] = [quantities(service.limits), quantities(service.reservations)];
  return {
    name: containerName(name),
    image: imageOf(service, services),
    ...(pullPolicy === undefined ? {} : { imagePullPolicy: pullPolicy }),
    ...(entrypoint?.length ? { command: entrypoint.map(literal) } : {}),
    ...(command?.length ? { args: command.map(literal) } : {}),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(all.stdin_open === true ? { stdin: true } : {}),
    ...(all.tty === true ? { tty: true } : {}),
    ...(env.length === 0 ? {} : { env }),
    ...(ports.length === 0 ? {} : { ports }),
    ...(Object.keys(securityContext).length === 0 ? {} : { securityContext }),
    ...(limits === undefined && requests === undefined
      ? {}
      : { resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) } }),
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

/** Containers of a pod have names of their own. */
function containerName(service: string): string {
  const name = dnsLabel(service);
  return TAKEN.includes(name) ? `service-${name}` : name;
}

function imageOf({ name, image, build, whereOf }: ProjectService, { images }: ServiceSettings): string {
  const given = images.get(name);
  if (given !== undefined) return given;
  if (build === undefined && image !== undefined) return image;
  const isPushed = image === undefined ? '' : `; where ${image} is pushed, that is its reference`;
  throw new AppError('DEVCONTAINER', `the service ${name} is built, and a pod needs an image that is there`, {
    where: whereOf('build'),
    hint: `push it, as with \`envbuilder build --push --tag REFERENCE DIR\`, and name it with --service-image ${name}=REFERENCE${isPushed}`,
  });
}

function variables({ name, environment }: ProjectService, notes: Notes): NonNullable<Container['env']> {
  return Object.entries(environment).flatMap(([variable, value]) => {
    if (VARIABLE.test(variable)) return [{ name: variable, value: literal(value) }];
    notes.add(`environment: ${variable}`, name, 'no pod has variables of such a name');
    return [];
  });
}

/** The ports that a service says it listens on. */
export function containerPorts({ ports, exposed }: ProjectService): Port[] {
  const found = [...ports, ...exposed].map(({ target, protocol }): [string, Port] => {
    const port = { containerPort: target, protocol: protocol.toUpperCase() };
    return [`${target}/${port.protocol}`, port];
  });
  return [...new Map(found).values()];
}

function rights(service: ProjectService, notes: Notes): SecurityContext {
  const { name, user, readOnly, capDrop, securityOpt } = service;
  const [, uid, gid] = /^(\d+|root)(?::(\d+|root))?$/.exec(user ?? '') ?? [];
  if (user !== undefined && uid === undefined)
    notes.add(`user: ${user}`, name, 'names are looked up in the image; write numbers');
  const number = (text: string): number => (text === 'root' ? 0 : Number(text));
  const add = allowedCapabilities(service, notes).filter((one) => !capDrop.includes(one));
  const drop = capDrop.map(plainCapability);
  const isNoNew = (option: string): boolean => /^no-new-privileges(?:[:=]true)?$/.test(option);
  for (const option of securityOpt)
    if (!isNoNew(option) && !/^no-new-privileges[:=]false$/.test(option))
      notes.add(`security_opt: ${option}`, name, BASELINE);
  return {
    ...(uid === undefined ? {} : { runAsUser: number(uid) }),
    ...(gid === undefined ? {} : { runAsGroup: number(gid) }),
    ...(readOnly ? { readOnlyRootFilesystem: true } : {}),
    ...(securityOpt.some(isNoNew) ? { allowPrivilegeEscalation: false } : {}),
    ...(add.length + drop.length === 0
      ? {}
      : { capabilities: { ...(add.length ? { add } : {}), ...(drop.length ? { drop } : {}) } }),
  };
}

/** Capabilities that a service adds and a pod of the baseline may have; others are noted. */
export function allowedCapabilities({ name, capAdd }: ProjectService, notes: Notes): string[] {
  return capAdd.map(plainCapability).filter((one) => {
    if (CAPABILITIES.includes(one)) return true;
    notes.add(`cap_add: ${one}`, name, BASELINE);
    return false;
  });
}

function plainCapability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, '');
}
