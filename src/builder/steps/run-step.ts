import { constants } from 'node:os';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { DEFAULT_PATH } from '../../plan/environment.ts';
import type { RunOperation, Step } from '../../plan/types.ts';
import type { RootfsStep } from '../../rootfs/types.ts';
import { homeOf, lookupUser } from '../../rootfs/users.ts';
import { isFull } from '../../sys/room.ts';
import type { RunMount } from '../../sys/types.ts';
import type { GivenDevices } from './devices.ts';
import type { MountProvider } from './mounts.ts';
import { lineOfStep } from './step-error.ts';

/** BuildKit's name for the host that a RUN sees. */
export const HOSTNAME = 'buildkitsandbox';

export interface RunStepDeps {
  readonly mounts: MountProvider;
  /** Files made once for all RUNs: resolv.conf and hosts, by path inside the image. */
  readonly networkFiles: readonly RunMount[];
  /** Counts more than what an ENV says. */
  readonly proxyEnv: Readonly<Record<string, string>>;
  /** As of DeviceDeps. */
  readonly allowedDevices: readonly string[];
  /** What the time of all files will be, in seconds since the epoch; undefined where they keep theirs. */
  readonly mtime: number | undefined;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Runs a RUN in an open step.
 * @throws AppError BUILD_FAILED with the exit code or signal, at the instruction
 */
export async function executeRun(
  deps: RunStepDeps,
  step: Step,
  operation: RunOperation,
  rootfs: RootfsStep,
): Promise<void> {
  const user = lookupUser(rootfs.root, operation.user);
  const id = { stage: step.stage, step: step.index };
  const given = await devicesFor(operation, deps);
  const { result, full } = await deps.mounts.use(operation, async ({ mounts, env }) => {
    const result = await rootfs.run({
      argv: operation.argv,
      env: {
        PATH: DEFAULT_PATH,
        HOME: homeOf(rootfs.root, user.uid),
        ...given.env,
        // Compilers and packers take it for now (reproducible-builds.org, "SOURCE_DATE_EPOCH").
        ...(deps.mtime === undefined ? {} : { SOURCE_DATE_EPOCH: String(deps.mtime) }),
        ...Object.fromEntries(operation.env),
        ...deps.proxyEnv,
        ...env,
      },
      cwd: operation.cwd,
      ...user,
      mounts: [...deps.networkFiles, ...given.mounts, ...mounts],
      hostname: operation.hostname ?? HOSTNAME,
      network: operation.network === 'none' ? 'none' : 'host',
      privileged: operation.security === 'insecure',
      onOutput: (stream, chunk) =>
        deps.emit({ type: 'step-output', id, stream, text: chunk.toString('utf8') }),
      signal: deps.signal,
    });
    // What it has written is deleted with the mounts.
    return { result, full: result.exitCode === 0 ? undefined : fullDisk(rootfs.root, mounts) };
  });
  if (result.exitCode === 0) return;
  throw new AppError('BUILD_FAILED', `${step.text.split('\n')[0]} ${outcome(result)}`, {
    where: lineOfStep(step),
    hint: hintFor(result.exitCode, full),
  });
}

/** Most RUNs ask for none, and reading descriptions takes a parser. */
async function devicesFor({ devices }: RunOperation, deps: RunStepDeps): Promise<GivenDevices> {
  if (!devices) return { mounts: [], env: {} };
  const { giveDevices } = await import('./devices.ts');
  return giveDevices(devices, { allowed: deps.allowedDevices, emit: deps.emit });
}

function outcome(result: { exitCode: number; signal?: string }): string {
  return result.signal ? `was killed by ${result.signal}` : `exited with code ${result.exitCode}`;
}

/** A directory that it could write to, of which the disk is full. */
function fullDisk(root: string, mounts: readonly RunMount[]): string | undefined {
  const written = mounts.flatMap((mount) => (mount.type === 'bind' && !mount.readonly ? [mount.source] : []));
  return [root, ...written].find((path) => isFull(path));
}

function hintFor(exitCode: number, full: string | undefined): string {
  if (exitCode === 127)
    return 'a command was not found: is its package installed in this stage, and is it on PATH?';
  if (exitCode === 128 + constants.signals.SIGKILL)
    return 'the kernel may have run out of memory; give the build more';
  if (full !== undefined)
    return `the disk of ${full} is full: free some space, or name a directory on a larger one (--work-dir, --state-dir for cache mounts)`;
  return 'its output is above; nothing of this step was stored';
}
