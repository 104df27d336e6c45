import { normalize, relative } from 'node:path';
import type { Environment } from '../core/environment.ts';
import type { Emit } from '../core/events.ts';
import type { Machine } from '../sys/machine.ts';
import { mountTarget, sizeOf } from './merge.ts';
import { substitute, type Variables } from './substitute.ts';
import type {
  DevcontainerConfig,
  HostRequirements,
  Need,
  OriginEntry,
  Ungranted,
  VariableScope,
} from './types.ts';

const RIGHTS = 'rights come from whoever starts the container';
const MOUNTS = 'a running container cannot be given mounts';
const MACHINE = 'the machine was chosen before';

/** A privileged container has all capabilities. */
export const PRIVILEGED: Need = { kind: 'capability', name: 'ALL' };

/** A machine is sold with so much, and shows a little less. */
const NEARLY = 0.9;

/**
 * What entries of metadata ask for and a container that runs already cannot be given.
 * @param variables of mounts
 */
export function ungrantedOfMetadata(
  metadata: readonly OriginEntry[],
  variables: Variables,
): readonly Ungranted[] {
  return metadata.flatMap(({ origin, entry }) => {
    const found: Ungranted[] = [];
    const add = (property: string, why: string, unless: Need): void =>
      void found.push({ property, origin, why, unless });
    if (entry.privileged) add('privileged', RIGHTS, PRIVILEGED);
    for (const name of entry.capAdd ?? []) add(`capAdd: ${name}`, RIGHTS, { kind: 'capability', name });
    for (const name of entry.securityOpt ?? [])
      add(`securityOpt: ${name}`, RIGHTS, { kind: 'security option', name });
    if (entry.init) add('init', 'the first process is the init command of envbuilder', { kind: 'init' });
    for (const mount of substitute(entry.mounts ?? [], variables)) {
      const target = mountTarget(mount) ?? String(mount);
      add(`mounts: ${target}`, MOUNTS, { kind: 'mount', name: target });
    }
    for (const [name, need] of requirements(entry.hostRequirements ?? {}))
      add(`hostRequirements.${name}`, MACHINE, need);
    return found;
  });
}

function requirements({ cpus, memory, storage, gpu }: HostRequirements): readonly [string, Need][] {
  const size = (kind: 'memory' | 'storage', asked: string | undefined): [string, Need][] =>
    asked === undefined ? [] : [[kind, { kind, atLeast: sizeOf(asked) * NEARLY, asked }]];
  return [
    ...(cpus === undefined
      ? []
      : [['cpus', { kind: 'cpus', atLeast: cpus, asked: String(cpus) }] as [string, Need]]),
    ...size('memory', memory),
    ...size('storage', storage),
    ...(gpu && gpu !== 'optional' ? [['gpu', { kind: 'gpu', asked: 'a GPU' }] as [string, Need]] : []),
  ];
}

/** What only the file itself can ask for. */
export function ungrantedOfConfig(
  config: DevcontainerConfig,
  origin: string,
  {
    scope,
    env,
    secrets = [],
  }: {
    readonly scope: VariableScope;
    /** What the container has as variables, and the names of secrets that a build has. */
    readonly env: Environment;
    readonly secrets?: readonly string[];
  },
): readonly Ungranted[] {
  const found: Ungranted[] = [];
  const add = (property: string, why: string, unless?: Need): void =>
    void found.push({ property, origin, why, ...(unless ? { unless } : {}) });
  if (config.initializeCommand !== undefined)
    add('initializeCommand', 'it is for the machine that the container runs on');
  if (config.appPort !== undefined) add('appPort', 'ports are published by whoever starts the container');
  const { containerWorkspaceFolder: there = '' } = scope;
  const { workspaceFolder, workspaceMount } = config;
  if (workspaceFolder !== undefined && normalize(workspaceFolder).replace(/\/+$/, '') !== there)
    add('workspaceFolder', `the workspace is in ${there}`);
  const target = workspaceMount ? mountTarget(workspaceMount) : undefined;
  if (workspaceMount && target === undefined) add('workspaceMount', 'it names no target');
  if (target !== undefined && !isAround(target, there))
    add('workspaceMount', `${MOUNTS}, and the workspace is in ${there}`, { kind: 'mount', name: target });
  for (const name of Object.keys(config.secrets ?? {})) {
    if (!env[name] && !secrets.includes(name))
      add(`secrets: ${name}`, `it is not there; set the variable ${name} of the container`);
  }
  return found;
}

/** Whether a path is in a directory, or is it. */
function isAround(directory: string, path: string): boolean {
  const below = relative(directory, path);
  return below !== '..' && !below.startsWith('../');
}

/** Warns once about each of them that the machine does not have after all. */
export function warnUngranted(
  ungranted: readonly Ungranted[],
  {
    workspace,
    emit,
    machine,
  }: { readonly workspace: string; readonly emit: Emit; readonly machine: Machine },
): void {
  const seen = new Set<string>();
  for (const { property, origin, why, unless } of ungranted) {
    if (unless && has(machine, unless, workspace)) continue;
    const from = origin.startsWith(`${workspace}/`) ? relative(workspace, origin) : origin;
    const amounts = unless ? amountsOf(machine, unless, workspace) : undefined;
    const text = amounts
      ? `${property} (${from}) is not met: ${amounts}`
      : `${property} (${from}) has no effect here: ${why}`;
    if (!seen.has(text)) emit({ type: 'warning', code: 'DEVCONTAINER', text });
    seen.add(text);
  }
}

function has(machine: Machine, need: Need, workspace: string): boolean {
  switch (need.kind) {
    case 'capability':
      return machine.hasCapability(need.name);
    case 'mount':
      return machine.isMounted(need.name);
    case 'security option':
      return machine.hasSecurityOption(need.name);
    case 'host':
      return machine.knowsHost(need.name);
    case 'init':
      return machine.hasInit();
    case 'gpu':
      return machine.hasGpu();
    default:
      return amount(machine, need.kind, workspace) >= need.atLeast;
  }
}

function amount(machine: Machine, kind: 'cpus' | 'memory' | 'storage', workspace: string): number {
  if (kind === 'storage') return machine.storage(workspace);
  return kind === 'memory' ? machine.memory() : machine.cpus();
}

/** What was asked for, and what is there; undefined for what has no amount. */
function amountsOf(machine: Machine, need: Need, workspace: string): string | undefined {
  if (need.kind === 'gpu' && need.asked) return `${need.asked} is asked for, and there is none`;
  if (!('atLeast' in need)) return undefined;
  const there = amount(machine, need.kind, workspace);
  if (need.kind === 'cpus')
    return `${need.asked} are asked for, and there are ${Math.round(there * 10) / 10}`;
  return `${need.asked} is asked for, and there is ${sizeText(there)}${need.kind === 'storage' ? ' free' : ''}`;
}

/** Bytes in the units of hostRequirements. */
function sizeText(bytes: number): string {
  const [unit, size] = bytes < 2 ** 30 ? ['mb', 2 ** 20] : ['gb', 2 ** 30];
  return `${Math.floor((bytes / size) * 10) / 10}${unit}`;
}
