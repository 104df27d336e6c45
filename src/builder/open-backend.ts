import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { createFileLayerWriter } from '../layer/file-layer-writer.ts';
import type { Compression } from '../layer/types.ts';
import { createCopiesBackend } from '../rootfs/copies/backend.ts';
import { createInplaceBackend, type InplaceBackend } from '../rootfs/inplace/backend.ts';
import { currentPins, pinOf } from '../rootfs/inplace/pins.ts';
import { createOverlayBackend } from '../rootfs/overlay/backend.ts';
import { whyNoOverlay } from '../rootfs/overlay/refusal.ts';
import type { RootfsBackend } from '../rootfs/types.ts';
import { makeFreshDirectory } from '../sys/fresh-directory.ts';
import { removeTree } from '../sys/remove-tree.ts';
import { requireBuildRights, requireInplaceRights } from '../sys/rights.ts';
import { createRunner } from '../sys/run.ts';
import { createHereRunner } from '../sys/run-here.ts';
import type { Syscalls } from '../sys/types.ts';
import { stagedBlob } from './publishing/layer-blobs.ts';
import type { Session } from './session.ts';
import type { BackendSpec, BuildRequest } from './types.ts';

/** How the names of the directories of back ends begin, and of nothing else. */
const STEPS = 'o';

type InplaceSpec = Extract<BackendSpec, { kind: 'inplace' }>;

export interface OpenBackendDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** As OverlayBasesDeps.shared. */
  readonly sharedBases: ReadonlySet<string>;
}

/**
 * Opens the back end that a request asks for.
 * @throws AppError PERMISSION when this process lacks a right that it needs; USAGE for working directories that the back end
 * itself would delete
 */
export function openBackend(
  request: BuildRequest,
  session: Session,
  { sharedBases, ...deps }: OpenBackendDeps,
): RootfsBackend | InplaceBackend {
  const syscalls = session.syscalls();
  const common = {
    ...deps,
    syscalls,
    extract: session.extract,
    createLayerWriter: (file: string, compression: Compression) =>
      createFileLayerWriter(file, { compression, pool: session.pool() }),
  };
  const spec = request.backend;
  if (spec?.kind === 'inplace') return openInplace(request, session, spec, common);
  requireBuildRights(syscalls.effectiveCapabilities());
  removeEarlier(session.workDir());
  const workDir = makeFreshDirectory(session.workDir(), STEPS);
  const runner = createRunner(syscalls);
  if (spec?.kind !== 'overlay' && (spec?.kind === 'copies' || refusesOverlay(syscalls, workDir, deps.emit)))
    return createCopiesBackend({ ...common, workDir, runner, blobOf: stagedBlob });
  return createOverlayBackend({ ...common, workDir, sharedBases, runner });
}

/** Whether steps have to work on copies; says why. @throws AppError when a mount fails in another way than by a refusal */
function refusesOverlay(syscalls: Syscalls, workDir: string, emit: Emit): boolean {
  const refusal = whyNoOverlay(syscalls, workDir);
  if (!refusal) return false;
  const text = `steps work on copies of what lies below them: ${refusal.why}; ${refusal.hint}`;
  emit({ type: 'message', level: 'info', text });
  return true;
}

/** What earlier attempts of this build have left to its end. */
function removeEarlier(directory: string): void {
  for (const name of readdirSync(directory)) if (name.startsWith(STEPS)) removeTree(join(directory, name));
}

function openInplace(
  request: BuildRequest,
  session: Session,
  spec: InplaceSpec,
  common: Pick<
    Parameters<typeof createInplaceBackend>[0],
    'emit' | 'signal' | 'syscalls' | 'extract' | 'createLayerWriter'
  >,
): InplaceBackend {
  const { ownDir } = spec;
  requireInplaceRights(common.syscalls.effectiveCapabilities());
  for (const path of [request.workDir, request.stateDir]) {
    if (!path.startsWith(`${ownDir}/`))
      throw new AppError('USAGE', `${path} lies outside of ${ownDir} and would be deleted`);
  }
  const layerDir = join(session.workDir(), 'layers');
  mkdirSync(layerDir, { recursive: true });
  return createInplaceBackend({
    ...common,
    dir: treeDirectory(ownDir),
    layerDir,
    journalFile: join(ownDir, 'journal'),
    keep: keptPaths(request, spec),
    own: ownDirectories(spec),
    written: writtenPaths(request),
    runner: createHereRunner(common.syscalls),
    blobOf: stagedBlob,
  });
}

/** Trees are moved into the root, so they have to be on its file system, even where our own directory is a mount. */
function treeDirectory(ownDir: string): string {
  const mounted = pinOf(currentPins([]), ownDir).kept;
  return mounted ? `${ownDir}.inplace` : join(ownDir, 'inplace');
}

function ownDirectories({ ownDir }: InplaceSpec): string[] {
  return [ownDir, `${ownDir}.inplace`];
}

/** What the build writes to while a RUN runs. */
function writtenPaths({ workDir, stateDir, cache, outputs }: BuildRequest): string[] {
  return [
    workDir,
    stateDir,
    ...(cache?.type === 'directory' ? [cache.path] : []),
    ...outputs.flatMap((output) => ('path' in output && output.path !== '-' ? [output.path] : [])),
  ];
}

/** Whatever the build itself reads stays. */
function keptPaths(request: BuildRequest, spec: InplaceSpec): string[] {
  const { context, dockerfile, dockerfileText, cache, outputs, ssh, contexts } = request;
  return [
    ...ownDirectories(spec),
    ...spec.keep,
    context,
    ...(dockerfileText === undefined ? [dockerfile] : []),
    ...(cache?.type === 'directory' ? [cache.path] : []),
    ...outputs.flatMap((output) => ('path' in output && output.path !== '-' ? [dirname(output.path)] : [])),
    ...ssh.map(({ socket }) => socket),
    ...[...(contexts?.values() ?? [])].flatMap((named) => (named.type === 'dir' ? [named.path] : [])),
  ].filter((path) => path !== '/');
}
