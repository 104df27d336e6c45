import type { Emit } from '../core/events.ts';
import { buildForm } from '../devcontainer/build-form.ts';
import { describeDevcontainer } from '../devcontainer/describe.ts';
import { type MergedConfig, mergeConfig } from '../devcontainer/merge.ts';
import { entryOfConfig, readMetadata } from '../devcontainer/metadata.ts';
import { readConfig } from '../devcontainer/read-config.ts';
import { applyRunArgs } from '../devcontainer/run-args.ts';
import { substitute } from '../devcontainer/substitute.ts';
import type {
  DefinitionRequest,
  Devcontainer,
  DevcontainerConfig,
  Ungranted,
} from '../devcontainer/types.ts';
import { ungrantedOfConfig, ungrantedOfMetadata, warnUngranted } from '../devcontainer/ungranted.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { CAPABILITY_NAMES } from '../sys/capabilities.ts';
import { type Machine, probeMachine } from '../sys/machine.ts';
import { mountOf, mountsOfRunArgs, type WantedMount } from './mounts.ts';
import { readUpProject, type UpProject } from './services/read.ts';
import { rightsOf } from './services/rights.ts';

/** What a container is, besides its image: nothing of it is kept, since values may come from the user's environment. */
export interface DescribedContainer {
  readonly devcontainer: Devcontainer;
  readonly config: DevcontainerConfig;
  /** What metadata says together, with variables replaced. */
  readonly merged: MergedConfig;
  /** The mount of the workspace as docker run takes it; no Compose service has it. */
  readonly workspaceMountText: string | undefined;
  /** Where the user's processes start; the root directory where nobody says. */
  readonly workspaceFolder: string;
  readonly mounts: readonly WantedMount[];
  readonly privileged: boolean;
  readonly capabilities: readonly number[];
  /** Default ones that it does not have. */
  readonly dropped: readonly number[];
  /** The Compose project that it is of. */
  readonly project: UpProject | undefined;
}

/**
 * What a devcontainer.json and the label of the image that was built from it say of a container.
 * @throws AppError DEVCONTAINER, OUTSIDE when the file cannot be understood
 */
export function describeContainer(
  configFile: string,
  image: ContainerConfig,
  request: DefinitionRequest,
): DescribedContainer {
  const quiet: Emit = () => {};
  const { env } = request;
  // The build has warned already.
  const read = readConfig(configFile, { ...request, devcontainerJsonPath: configFile }, quiet);
  const { config, scope, place } = read;
  const form = buildForm(read, { env, defaultImage: 'scratch' }, quiet);
  const project = readUpProject(configFile, request);
  const ofService = project && rightsOf(project.own);
  const { settings: above, ungranted } = applyRunArgs(config.runArgs ?? [], configFile);
  const entries = readMetadata(image.Labels, 'the image', quiet);
  const isOwn = (at: number): boolean => at === entries.length - 1 && entryOfConfig(read.raw) !== undefined;
  const devcontainer = describeDevcontainer({
    configFile,
    metadata: entries.map((entry, at) => ({
      origin: entry.id ?? (isOwn(at) ? configFile : 'image metadata'),
      entry,
    })),
    scope,
    ...(scope.containerWorkspaceFolder === undefined
      ? {}
      : { workspaceFolder: scope.containerWorkspaceFolder }),
    settings: { below: form.below, above },
    ungranted: [
      ...ungrantedOfMetadata(
        entries.map((entry) => ({ origin: configFile, entry })),
        { ...scope, localEnv: env },
      ),
      ...ungrantedOfConfig(config, configFile, { scope, env }),
      ...ungranted,
      // What a project asks for is looked at with all of its services.
      ...(project ? [] : form.ungranted),
    ],
    env,
    image,
  });
  const variables = { ...scope, localEnv: env, containerEnv: environmentOf(image) };
  const merged = mergeConfig(
    {},
    substitute(
      devcontainer.metadata.map(({ entry }) => entry),
      variables,
    ),
  );
  const flags = config.runArgs ?? [];
  const named = [...(merged.capAdd ?? []), ...valuesOf(flags, '--cap-add')];
  const all = named.some((name) => plainName(name) === 'ALL');
  const workspaceMountText = place.workspaceMount
    ? substitute(place.workspaceMount, { ...scope, localEnv: env })
    : undefined;
  const workspace = workspaceMount(form.workspaceMount, workspaceMountText);
  return {
    devcontainer,
    config,
    merged,
    workspaceMountText,
    workspaceFolder: scope.containerWorkspaceFolder ?? '/',
    mounts: [
      ...(workspace ? [workspace] : []),
      ...(merged.mounts ?? []).flatMap((mount) => mountOf(mount, 'mounts') ?? []),
      ...mountsOfRunArgs(flags, 'runArgs'),
    ],
    privileged:
      merged.privileged === true || flags.includes('--privileged') || all || ofService?.privileged === true,
    capabilities: [
      ...named.map((name) => CAPABILITY_NAMES.indexOf(plainName(name))).filter((at) => at >= 0),
      ...(ofService?.capabilities ?? []),
    ],
    dropped: ofService?.dropped ?? [],
    project,
  };
}

const plainName = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');

function workspaceMount(
  ofService: { readonly source: string; readonly target: string } | undefined,
  text: string | undefined,
): WantedMount | undefined {
  if (ofService)
    return {
      type: 'bind',
      source: ofService.source,
      target: ofService.target,
      readonly: false,
      from: 'the service',
    };
  return text ? mountOf(text, 'workspaceMount') : undefined;
}

function valuesOf(words: readonly string[], flag: string): readonly string[] {
  return words.flatMap((word, at) =>
    word.startsWith(`${flag}=`) ? [word.slice(flag.length + 1)] : word === flag ? (words[at + 1] ?? []) : [],
  );
}

/** Of what a container here has in any case, or what is no matter of it. */
const GRANTED =
  /^(?:initializeCommand|appPort|workspaceFolder|workspaceMount|init|ports \(service .*\)|mounts: .*|runArgs: --(?:publish|publish-all|init|mount|volume|tmpfs|cap-add|privileged|hostname)\b.*)$/;

/** Warns of what was asked for and cannot be had, once for each. */
export function warnNotGiven(
  { devcontainer, privileged, capabilities, config }: DescribedContainer,
  folder: string,
  emit: Emit,
): void {
  const here = probeMachine();
  const machine: Machine = {
    ...here,
    hasCapability: (name) => privileged || capabilities.includes(CAPABILITY_NAMES.indexOf(plainName(name))),
    isMounted: () => true,
    hasInit: () => true,
  };
  const network = valuesOf(config.runArgs ?? [], '--network').concat(valuesOf(config.runArgs ?? [], '--net'));
  const isGranted = ({ property }: Ungranted): boolean =>
    GRANTED.test(property) ||
    (/^runArgs: --net(work)?$/.test(property) && network.every((name) => name === 'host'));
  const left = devcontainer.ungranted.filter((one) => !isGranted(one));
  warnUngranted(left, { workspace: folder, emit, machine });
}

/** The variables of an image. */
export function environmentOf({ Env = [] }: ContainerConfig): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Env.map((entry): [string, string] => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
