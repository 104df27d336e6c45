import { posix } from 'node:path';
import { heredocStart } from '../dockerfile/parse/heredoc.ts';
import { expandMount } from '../dockerfile/parse/mount.ts';
import type { MountSpec, RunInstruction } from '../dockerfile/types.ts';
import { commandLine } from './metadata.ts';
import { cacheId, imageDirectory } from './paths.ts';
import { type StageState, shellOf, stageError, whereOf, workdirOf } from './stage-state.ts';
import type { PlannedMount, RunOperation } from './types.ts';

/** Resolves what a mount reads from; injected, since stages and contexts are the planner's. */
export type ResolveMountSource = (
  mount: MountSpec,
  sourcePath: string,
) => Promise<Pick<PlannedMount, 'source' | 'treeHash' | 'seed'>>;

/** A RUN with everything resolved that its result depends on. */
export async function planRun(
  state: StageState,
  instruction: RunInstruction,
  resolveSource: ResolveMountSource,
  buildArgs: ReadonlyMap<string, string>,
): Promise<RunOperation> {
  const { argv, script } = runCommand(state, instruction);
  const env = state.environment.values();
  if (env.has('')) {
    throw stageError(
      state,
      instruction.range,
      'RUN has a variable without a name in its environment',
      'the base image has it; make the image anew without it',
    );
  }
  const hostname = buildArgs.get('BUILDKIT_SANDBOX_HOSTNAME');
  const namespace = buildArgs.get('BUILDKIT_CACHE_MOUNT_NS') || undefined;
  const mounts: PlannedMount[] = [];
  let agents = 0;
  for (const spec of instruction.mounts) {
    const planned = await planMount(state, spec, agents, resolveSource);
    if (planned.spec.type === 'ssh') agents += 1;
    mounts.push(namespace === undefined ? planned : inNamespace(planned, namespace));
  }
  const agent = mounts.find((mount) => mount.spec.type === 'ssh');
  // Whether or not there is an agent, as in BuildKit.
  if (agent && !env.has('SSH_AUTH_SOCK')) env.set('SSH_AUTH_SOCK', agent.target);
  return {
    kind: 'run',
    argv,
    env,
    args: state.environment.args(),
    user: state.config.User ?? '',
    cwd: workdirOf(state),
    network: instruction.network,
    security: instruction.security,
    mounts,
    ...(instruction.devices ? { devices: instruction.devices } : {}),
    ...(hostname ? { hostname } : {}),
    ...(script ? { script } : {}),
  };
}

/** Caches of one namespace have nothing to do with those of another, or of none. */
function inNamespace(mount: PlannedMount, namespace: string): PlannedMount {
  const { spec } = mount;
  if (spec.type !== 'cache') return mount;
  return { ...mount, spec: { ...spec, id: `${namespace}/${cacheId(spec)}` } };
}

/**
 * A RUN that is nothing but one heredoc is a script: with `#!` it becomes a file, else the shell's argument. Otherwise
 * the shell gets the line with the heredocs behind it (Dockerfile reference, "Here-Documents").
 */
function runCommand(
  state: StageState,
  { command, heredocs, range }: RunInstruction,
): { argv: readonly string[]; script?: { path: string; content: string } } {
  const [first] = heredocs;
  if (!first) return { argv: commandLine(state, command) };
  if (command.form === 'exec') throw stageError(state, range, 'RUN in exec form cannot take a heredoc');
  const shell = shellOf(state);
  if (heredocs.length === 1 && heredocStart(command.line) !== undefined) {
    if (!first.content.startsWith('#!')) return { argv: [...shell, first.content] };
    const path = posix.join('/dev/pipes', first.name);
    return { argv: [...shell, path], script: { path, content: first.content } };
  }
  const full = heredocs.reduce((text, doc) => `${text}\n${doc.content}${doc.name}`, command.line);
  return { argv: [...shell, full] };
}

async function planMount(
  state: StageState,
  raw: MountSpec,
  agents: number,
  resolveSource: ResolveMountSource,
): Promise<PlannedMount> {
  const where = whereOf(state.dockerfile, raw.range);
  const spec = expandMount(raw, state.environment.lookup, state.dockerfile.escape, where);
  const sourcePath = spec.source ?? '';
  const workdir = workdirOf(state);
  const target = spec.target ?? defaultTarget(state, spec, agents);
  const resolved = imageDirectory(workdir, target);
  if (resolved === '/' && spec.type !== 'secret' && spec.type !== 'ssh') {
    throw stageError(
      state,
      raw.range,
      `RUN --mount has the invalid target "${target}"`,
      spec.target === undefined
        ? 'it is at the working directory; add target=/path, or a WORKDIR'
        : 'mount below the root, for example on /src',
    );
  }
  const secret =
    spec.type === 'secret' && spec.id === undefined ? { id: posix.basename(sourcePath || resolved) } : {};
  return {
    spec: { ...spec, ...secret },
    sourcePath,
    target: spec.type === 'secret' && raw.target === undefined && spec.env !== undefined ? '' : resolved,
    ...(await resolveSource(spec, sourcePath)),
  };
}

/** @param agents how many ssh mounts the RUN has before this one */
function defaultTarget(state: StageState, spec: MountSpec, agents: number): string {
  if (spec.type === 'secret') return `/run/secrets/${posix.basename(spec.id ?? spec.source ?? '')}`;
  if (spec.type === 'ssh') return `/run/buildkit/ssh_agent.${agents}`;
  return workdirOf(state);
}
