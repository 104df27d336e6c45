import { type Canonical, canonicalDigest } from '../core/canonical.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import type { ContainerConfig, Platform } from '../oci/types.ts';
import type { CopyInput, CopyOperation, Operation, PlannedMount, RunOperation, TreeSource } from './types.ts';

/** Part of the first key of every stage: a change of what keys or records mean must change it, and throws every cache away. */
export const KEY_SCHEMA = 2;

export interface BaseKeyInput {
  readonly salt: string | undefined;
  readonly platform: Platform;
  readonly mtime: number | 'keep';
  /** diffIDs of the base's layers, lowest first; none for scratch. */
  readonly diffIds: readonly Digest[];
  readonly config: ContainerConfig;
}

/** K₀: what a stage starts from. Labels, compression and where the base came from do not enter. */
export function baseKey(input: BaseKeyInput): Digest {
  return canonicalDigest({
    schema: KEY_SCHEMA,
    salt: input.salt,
    os: input.platform.os,
    architecture: input.platform.architecture,
    variant: input.platform.variant,
    mtime: input.mtime,
    diffIds: input.diffIds,
    env: input.config.Env ?? [],
    user: input.config.User ?? '',
    workdir: input.config.WorkingDir || '/',
    shell: input.config.Shell ?? [],
    onbuild: input.config.OnBuild ?? [],
  });
}

/** Kᵢ from Kᵢ₋₁ and the digest of the operation. */
export function stepKey(parent: Digest, operation: Digest): Digest {
  return canonicalDigest({ parent, operation });
}

/** What content keys share with K₀ besides files: without the salt they could be guessed. */
export function contentScope({ salt, platform, mtime }: Omit<BaseKeyInput, 'diffIds' | 'config'>): Digest {
  const { os, architecture, variant } = platform;
  return canonicalDigest({ content: KEY_SCHEMA, salt, os, architecture, variant, mtime });
}

/**
 * C: the same operation on the same parent files, whatever instructions made them.
 * @param parent an OCI chain ID, or 'scratch'
 */
export function contentKey(scope: Digest, parent: string, operation: Digest): Digest {
  return canonicalDigest({ scope, parent, operation });
}

/** What stands for a source of files in a key: the last key of a stage, or the layers of an image. */
export type SourceKey = (source: TreeSource) => Canonical;

/** The key of a source of files: of a stage as given, of an image its diffIDs. */
export function treeSourceKey(source: TreeSource, stageKey: (stage: number) => Canonical): Canonical {
  if (source.type === 'stage') return stageKey(source.stage);
  return source.type === 'image' ? { diffIds: source.image.config.rootfs.diff_ids } : 'scratch';
}

/**
 * The operation's parts in canonical form, by name. Everything that can change the result is in here; secrets' values,
 * proxies and times are not.
 */
export function operationFields(operation: Operation, sourceKey: SourceKey): Record<string, Canonical> {
  if (operation.kind === 'workdir') {
    return { kind: 'workdir', path: operation.path, user: operation.user };
  }
  return operation.kind === 'run' ? runFields(operation, sourceKey) : copyFields(operation, sourceKey);
}

/** Digest of the operation, and short digests of its parts that let a later miss be explained. */
export function digestFields(fields: Record<string, Canonical>): {
  readonly digest: Digest;
  readonly fields: Readonly<Record<string, string>>;
} {
  const short: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields))
    short[name] = hexOf(canonicalDigest(value)).slice(0, 16);
  return { digest: canonicalDigest(fields), fields: short };
}

function runFields(operation: RunOperation, sourceKey: SourceKey): Record<string, Canonical> {
  return {
    kind: 'run',
    command: operation.argv,
    environment: Object.fromEntries(operation.env),
    user: operation.user,
    workdir: operation.cwd,
    script: operation.script?.content ?? null,
    network: operation.network,
    security: operation.security,
    mounts: operation.mounts.map((mount) => mountFields(mount, sourceKey)),
  };
}

function mountFields(mount: PlannedMount, sourceKey: SourceKey): Canonical {
  const { spec } = mount;
  const common = { type: spec.type, target: mount.target };
  const from = ({ source }: PlannedMount): Canonical | undefined =>
    source && source.type !== 'context' && source.type !== 'deferred' ? sourceKey(source) : undefined;
  switch (spec.type) {
    case 'bind':
      return {
        ...common,
        path: mount.sourcePath,
        readonly: spec.readonly,
        tree: mount.treeHash,
        source: from(mount),
      };
    case 'cache':
      return {
        ...common,
        id: spec.id ?? mount.target,
        readonly: spec.readonly,
        from: from(mount),
        tree: mount.treeHash,
        path: mount.sourcePath,
        mode: spec.mode,
        uid: spec.uid,
        gid: spec.gid,
      };
    case 'tmpfs':
      return { ...common, size: spec.size };
    default:
      return { ...common, id: spec.id, env: spec.env, mode: spec.mode, uid: spec.uid, gid: spec.gid };
  }
}

function copyFields(operation: CopyOperation, sourceKey: SourceKey): Record<string, Canonical> {
  const sources: Canonical[] = [];
  for (const input of operation.inputs) sources.push(inputFields(input, operation, sourceKey));
  return {
    kind: 'copy',
    destination: operation.destination,
    chown: operation.chown ?? null,
    chmod: operation.chmod ?? null,
    parents: operation.parents,
    link: operation.link,
    excludes: operation.inputs.some((input) => input.kind !== 'context') ? operation.excludes : [],
    sources,
  };
}

function inputFields(input: CopyInput, operation: CopyOperation, sourceKey: SourceKey): Canonical {
  switch (input.kind) {
    case 'context':
      return { kind: 'context', tree: input.treeHash };
    case 'archive':
      return { kind: 'archive', tree: input.treeHash };
    case 'inline':
      return { kind: 'inline', name: input.name, content: input.content };
    case 'url':
      return {
        kind: 'url',
        name: input.name,
        digest: input.digest,
        lastModified: input.lastModified,
        unpack: input.unpack,
      };
    case 'git':
      // A URL may carry a subdirectory after the commit; the same commit elsewhere is the same tree.
      return {
        kind: 'git',
        commit: input.commit,
        subdir: gitSubdir(input.url),
        keepGitDir: input.keepGitDir,
      };
    case 'from':
      return {
        kind: 'from',
        source: sourceKey(input.source),
        paths: input.paths,
        parents: operation.parents,
      };
  }
}

function gitSubdir(url: string): string {
  const query = url.includes('?') ? new URLSearchParams(url.split('#')[0]!.split('?')[1]) : undefined;
  return query?.get('subdir') ?? url.split('#')[1]?.split(':')[1] ?? '';
}
