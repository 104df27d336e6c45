import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { CopyItems, SourceTree } from '../../context/types.ts';
import { once } from '../../core/concurrency.ts';
import { digestOf, hexOf } from '../../core/digest.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { makeDirectories } from '../../core/make-directories.ts';
import type { Reference, Store } from '../../oci/types.ts';
import { cacheId } from '../../plan/paths.ts';
import type { PlannedMount, RunOperation, TreeSource } from '../../plan/types.ts';
import type { RootfsState } from '../../rootfs/types.ts';
import { type OpenBeneath, withBeneath } from '../../sys/beneath.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { RunMount } from '../../sys/types.ts';
import type { SecretSource, SshSource } from '../types.ts';
import { secretsDir } from '../work-dir/dead-builds.ts';
import type { FileLocks } from '../work-dir/file-locks.ts';
import { offerAgent, type SocketOwner } from './agent-socket.ts';

export interface MountProvider {
  /** Makes the mounts of a RUN for as long as `work` runs; nothing of them outlives it but the content of caches. */
  use<T>(
    operation: RunOperation,
    work: (made: {
      readonly mounts: readonly RunMount[];
      readonly env: Readonly<Record<string, string>>;
    }) => Promise<T>,
  ): Promise<T>;
}

export interface MountDeps {
  /** For files that live as long as one RUN. */
  readonly workDir: string;
  /** Whether a RUN's user reads secrets where they lie, and not through a mount. */
  readonly reachable: boolean;
  /** Where cache mounts live between builds. */
  readonly cacheDir: string;
  readonly locks: FileLocks;
  readonly openBeneath: OpenBeneath;
  readonly signal: AbortSignal;
  readonly openRepository: (reference: Reference) => Store;
  readonly secrets: readonly SecretSource[];
  readonly ssh: readonly SshSource[];
  readonly stateOf: (source: TreeSource) => Promise<RootfsState>;
  /** Copies a directory of a stage or image into an existing directory, owners kept. */
  readonly copyStage: (source: TreeSource, path: string, target: string) => Promise<void>;
  /** Gives what a directory holds the time that all files have, where they have one. */
  readonly setTimes: (directory: string) => void;
  readonly writeTree: (tree: SourceTree, items: CopyItems, target: string) => Promise<void>;
}

/** Whoever knows a name in the directory may use it, and nobody may list it. */
const PASS_THROUGH = 0o711;

interface Made {
  readonly mounts: RunMount[];
  readonly env: Record<string, string>;
}

/** Mounts of RUN instructions; caches outlive the build, in `deps.cacheDir`. */
export function createMounts(deps: MountDeps): MountProvider {
  const { locks, signal, openBeneath } = deps;
  // Not recursive: a directory that somebody else made under this name is refused.
  const secretRoot = once(() => {
    const path = secretsDir(deps.workDir);
    mkdirSync(path, { mode: 0o700 });
    if (deps.reachable) chmodSync(path, PASS_THROUGH);
    return path;
  });
  return {
    use: async (operation, work) => {
      const made: Made = { mounts: [], env: {} };
      const used: string[] = [];
      // Most RUNs have no mount, and directories take longer to make and remove than all the rest here.
      const temporary = (make: () => string): (() => string) =>
        once(() => {
          const path = make();
          used.push(path);
          return path;
        });
      const scratch = temporary(() => mkdtempSync(join(deps.workDir, 'mounts-')));
      const secretDir = temporary(() => {
        const path = mkdtempSync(join(secretRoot(), 'run-'));
        if (deps.reachable) chmodSync(path, PASS_THROUGH);
        return path;
      });
      try {
        if (operation.script) deps.setTimes(addScript(operation.script, scratch(), made));
        return await addMounts(operation.mounts, 0);
      } finally {
        for (const path of used) removeTree(path);
      }

      async function addMounts(mounts: readonly PlannedMount[], at: number): ReturnType<typeof work> {
        const mount = mounts[at];
        if (!mount) return work(made);
        const next = () => addMounts(mounts, at + 1);
        switch (mount.spec.type) {
          case 'tmpfs':
            made.mounts.push({
              type: 'tmpfs',
              target: mount.target,
              ...(mount.spec.size ? { size: mount.spec.size } : {}),
            });
            return next();
          case 'secret':
            await addSecret(deps, mount, () => join(secretDir(), String(at)), made);
            if (mount.target !== '') deps.setTimes(secretDir());
            return next();
          case 'ssh':
            return addSsh(mount, () => join(secretDir(), String(at)), next);
          case 'cache':
            return addCache(mount, next);
          case 'bind':
            return addBind(mount, join(scratch(), String(at)), next);
        }
      }

      async function addBind<T>(mount: PlannedMount, directory: string, next: () => Promise<T>): Promise<T> {
        const { source, spec } = mount;
        if (!source) throw new AppError('INTERNAL', 'a bind mount has no source');
        const push = (path: string, within?: string): void => {
          made.mounts.push({
            type: 'bind',
            source: path,
            ...(within === undefined ? {} : { within }),
            target: mount.target,
            readonly: spec.readonly,
          });
        };
        if (source.type === 'deferred') {
          const files = join(directory, 'files');
          makeDirectories(files);
          chmodSync(files, 0o755);
          await source.write(files, { open: deps.openRepository, signal });
          deps.setTimes(files);
          push(files);
          return next();
        }
        if (source.type === 'context') {
          makeDirectories(directory);
          await deps.writeTree(source.tree, await source.items(), join(directory, 'files'));
          push(join(directory, 'files'));
          return next();
        }
        const state = await deps.stateOf(source);
        const within = async (root: string): Promise<T> => {
          const path = mount.sourcePath;
          if (!withBeneath(openBeneath, root, (directory) => directory.stat(path)))
            throw missingSource(mount);
          push(path, root);
          return next();
        };
        if (spec.readonly) return state.read(within);
        const copy = await state.beginThrowaway();
        try {
          return await within(copy.root);
        } finally {
          await copy.abandon();
        }
      }

      async function addSsh<T>(
        mount: PlannedMount,
        fileOf: () => string,
        next: () => Promise<T>,
      ): Promise<T> {
        const agent = agentOf(deps, mount);
        if (!agent) return next();
        const { uid = 0, gid = 0, mode = 0o600 } = mount.spec;
        const source = fileOf();
        const close = await offerAgent(agent.socket, source, { uid, gid, mode }).catch((error) => {
          throw toAppError(error, 'USAGE', `the ssh agent "${agent.id}" cannot be reached`, {
            where: { range: mount.spec.range },
          });
        });
        try {
          made.mounts.push({ type: 'bind', source, target: mount.target, readonly: false });
          return await next();
        } finally {
          await close();
        }
      }

      /** A new cache appears whole: it is filled under another name. */
      async function createCache(mount: PlannedMount, path: string): Promise<void> {
        const fresh = `${path}.new-${process.pid}-${process.hrtime.bigint()}`;
        const owner = ownerOfCache(mount);
        const source = owner ? undefined : mount.source;
        try {
          if (source?.type === 'context') await deps.writeTree(source.tree, await source.items(), fresh);
          else makeDirectories(fresh);
          chmodSync(fresh, owner?.mode ?? 0o755);
          chownSync(fresh, owner?.uid ?? 0, owner?.gid ?? 0);
          if (source && source.type !== 'context' && source.type !== 'deferred')
            await deps.copyStage(source, mount.sourcePath, fresh);
          renameSync(fresh, path);
        } catch (error) {
          removeTree(fresh);
          if (!existsSync(path)) throw error;
        }
      }

      async function addCache<T>(mount: PlannedMount, next: () => Promise<T>): Promise<T> {
        const { spec } = mount;
        const name = nameOfCache(mount);
        const shared = join(deps.cacheDir, name);
        makeDirectories(deps.cacheDir);
        const lock = `${shared}.lock`;
        const held =
          spec.sharing === 'locked'
            ? await locks.acquire(lock, signal)
            : spec.sharing === 'private' && locks.tryAcquire(lock);
        const path = spec.sharing === 'private' && !held ? join(scratch(), `cache-${name}`) : shared;
        try {
          if (!existsSync(path)) await createCache(mount, path);
          made.mounts.push({ type: 'bind', source: path, target: mount.target, readonly: spec.readonly });
          return await next();
        } finally {
          if (held) held();
        }
      }
    },
  };
}

function addScript(
  script: { readonly path: string; readonly content: string },
  scratch: string,
  made: Made,
): string {
  const directory = join(scratch, 'pipes');
  mkdirSync(directory);
  const file = join(directory, posix.basename(script.path));
  writeFileSync(file, script.content, { mode: 0o755 });
  chmodSync(file, 0o755);
  made.mounts.push({ type: 'bind', source: directory, target: posix.dirname(script.path), readonly: true });
  return directory;
}

async function addSecret(
  deps: MountDeps,
  mount: PlannedMount,
  fileOf: () => string,
  made: Made,
): Promise<void> {
  const { spec } = mount;
  const secret = deps.secrets.find(({ id }) => id === spec.id);
  if (!secret) {
    if (!spec.required) return;
    throw new AppError('USAGE', `the secret "${spec.id}" is required, but was not given`, {
      where: { range: spec.range },
      hint: `pass it with --secret id=${spec.id},src=FILE or --secret id=${spec.id},env=NAME`,
    });
  }
  const value = await secret.value();
  if (spec.env !== undefined) made.env[spec.env] = value.toString('utf8');
  if (mount.target === '') return;
  const file = fileOf();
  writeFileSync(file, value, { mode: 0o600 });
  chownSync(file, spec.uid ?? 0, spec.gid ?? 0);
  chmodSync(file, spec.mode ?? 0o400);
  made.mounts.push({ type: 'bind', source: file, target: mount.target, readonly: true });
}

/**
 * Whom a cache belongs to that begins as an empty directory, which one with an owner or a mode does, as in BuildKit, unless a
 * directory in its source is named: that has its own.
 */
function ownerOfCache({ spec, sourcePath }: PlannedMount): SocketOwner | undefined {
  const { uid, gid, mode } = spec;
  if (posix.join('/', sourcePath) !== '/' || (uid ?? gid ?? mode) === undefined) return undefined;
  return { uid: uid ?? 0, gid: gid ?? 0, mode: mode ?? 0o755 };
}

/** Caches that begin as something else are other caches. */
function nameOfCache(mount: PlannedMount): string {
  const { spec, seed = '', sourcePath } = mount;
  const owner = ownerOfCache(mount);
  const path = posix.join('/', sourcePath);
  const parts = [
    `${cacheId(spec)}${seed}`,
    ...(owner ? [`owner ${owner.uid}:${owner.gid} ${owner.mode.toString(8)}`] : []),
    ...(mount.source && path !== '/' ? [`path ${path}`] : []),
  ];
  return hexOf(digestOf(parts.join('\0'))).slice(0, 32);
}

function agentOf({ ssh }: MountDeps, { spec }: PlannedMount): SshSource | undefined {
  const agent = ssh.find(({ id }) => id === (spec.id ?? 'default'));
  if (agent || !spec.required) return agent;
  throw new AppError('USAGE', `the ssh agent "${spec.id ?? 'default'}" is required, but was not given`, {
    where: { range: spec.range },
    hint: 'pass it with --ssh default, or --ssh ID=SOCKET',
  });
}

function missingSource(mount: PlannedMount): AppError {
  return new AppError(
    'BUILD_FAILED',
    `RUN --mount has no source "${mount.sourcePath}" in ${mount.spec.from}`,
    {
      where: { range: mount.spec.range },
    },
  );
}
