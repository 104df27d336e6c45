import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { openRemoteBlob } from './http/blob-read.ts';
import { createBlobSizes } from './http/blob-size.ts';
import { answerOf } from './http/errors.ts';
import {
  createManifest,
  deleteManifest,
  getManifest,
  putManifest,
  putReferrer,
  type Repository,
} from './http/manifests.ts';
import { createMirroredStore, type MirrorCopies } from './http/mirrors.ts';
import { listTags } from './http/tags.ts';
import { uploadBlob } from './http/upload.ts';
import { isTag } from './reference.ts';
import type { BlobSource, Store } from './types.ts';

/** Whether the registry has a smaller blob costs more to ask than to send it, and most are new. */
const ASK_BYTES = 4096;
/** So long after a repository has said that it holds a blob, a push takes its word. */
const BELIEVED_MS = 10 * 60_000;

export interface RemoteStoreOptions extends Repository {
  /** Mirrors of the registry, as `host[:port][/prefix]`: read from in order, before the registry itself. */
  readonly mirrors?: readonly string[];
  /** Where there are mirrors, the registry itself is not read from. */
  readonly onlyMirrors?: boolean;
  /** Shared by all stores of a run. */
  readonly copies?: MirrorCopies;
}

/**
 * A repository of a registry (OCI distribution spec v1.1). Nothing is asked before the first call.
 * @param options.registry the host to call, `docker.io` for Docker Hub
 */
export function createRemoteStore({
  mirrors = [],
  onlyMirrors = false,
  copies,
  ...target
}: RemoteStoreOptions): Store {
  const origin = createRepositoryStore(target);
  if (mirrors.length === 0) return origin;
  const stores = mirrors.map((mirror) => {
    const [host = '', ...prefix] = mirror
      .replace(/^https?:\/\//, '')
      .split('/')
      .filter(Boolean);
    return createRepositoryStore({
      ...target,
      registry: host,
      repository: [...prefix, target.repository].join('/'),
    });
  });
  return createMirroredStore(stores, onlyMirrors ? unread(origin) : origin, target.client.emit, copies);
}

/** A store that nothing is read from. */
function unread(store: Store): Store {
  return {
    ...store,
    has: async () => undefined,
    resolve: async () => undefined,
    get: async (digest) => {
      throw new AppError('REGISTRY', `no mirror of ${store.name} gives ${digest}`, {
        hint: '--skip-default-registry-fallback forbids to ask the registry itself',
      });
    },
  };
}

function createRepositoryStore(target: Repository): Store {
  const { registry, repository } = target;
  const sizeOf = createBlobSizes(target);
  /** Whether a push can do without a blob; where that cannot be told, it is sent. */
  const isThere = async (digest: Digest, signal: AbortSignal | undefined): Promise<boolean> =>
    sizeOf(digest, 'pull,push', signal).then(
      (size) => size !== undefined,
      (error: unknown) => {
        signal?.throwIfAborted();
        if (answerOf(error) === undefined) throw error;
        return false;
      },
    );
  /** Blobs that were put here before: they are not put twice. */
  const held = new Set<Digest>();
  /** What the repository was said to hold: the size of a blob, and when that was, in milliseconds. */
  const said = new Map<Digest, { readonly size: number; readonly at: number }>();
  const wasSaid = ({ digest, size }: Pick<BlobSource, 'digest' | 'size'>): boolean => {
    const last = said.get(digest);
    return last?.size === size && performance.now() - last.at < BELIEVED_MS;
  };
  return {
    name: `${registry}/${repository}`,
    has: async (digest, signal) => {
      const size = await sizeOf(digest, 'pull', signal);
      if (size === undefined) said.delete(digest);
      else said.set(digest, { size, at: performance.now() });
      return size;
    },
    get: (digest, range, signal) =>
      openRemoteBlob({
        ...target,
        digest,
        onWhole: (size) => said.set(digest, { size, at: performance.now() }),
        ...(range ? { range } : {}),
        ...(signal ? { signal } : {}),
      }),
    put: async (source, signal) => {
      const { anew = false } = source;
      if (!anew && (held.has(source.digest) || wasSaid(source))) return 'exists';
      const asked = !anew && source.size > ASK_BYTES && (await isThere(source.digest, signal));
      const done = asked ? 'exists' : await uploadBlob({ ...target, source, ...(signal ? { signal } : {}) });
      held.add(source.digest);
      return done;
    },
    resolve: (tagOrDigest, signal) => getManifest(target, tagOrDigest, signal),
    tag: async (bytes, mediaType, tag, signal) => {
      if (tag === undefined || isTag(tag)) return putManifest(target, bytes, mediaType, tag, signal);
      throw new AppError('REFERENCE', `"${tag.slice(0, 200)}" is not a tag`);
    },
    refer: (bytes, mediaType, signal) => putReferrer(target, bytes, mediaType, signal),
    create: (bytes, mediaType, tags, signal) => createManifest(target, bytes, mediaType, tags, signal),
    listTags: (signal) => listTags(target, signal),
    creates: () => target.client.knowsConditions(registry),
    // By its digest, which is all that Distribution knows.
    drop: (_tag, digest, signal) => deleteManifest(target, digest, signal),
  };
}
