import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { markUsed } from '../oci/dir-keep.ts';
import { placeLink } from '../oci/dir-link.ts';
import { withScratch } from '../oci/dir-scratch.ts';
import { isRepository } from '../oci/reference.ts';
import { isThere } from '../sys/plain.ts';
import { type Blobs, storedSize } from './blobs.ts';
import { repositoriesOf } from './discovery.ts';
import { RegistryError } from './registry-error.ts';
import type { Access } from './rights.ts';
import { checkedDigest } from './route.ts';
import { send } from './send.ts';
import type { Exchange, Storage } from './types.ts';
import { heldRange, type UploadFiles, type UploadId } from './upload-files.ts';

/** Requests that bring blobs into a repository (OCI distribution spec, "Pushing blobs"). */
export interface Uploads {
  /** POST: a session, a whole blob, or a mount. */
  begin(exchange: Exchange, repository: string): Promise<void>;
  status(exchange: Exchange, upload: UploadId): Promise<void>;
  patch(exchange: Exchange, upload: UploadId): Promise<void>;
  finish(exchange: Exchange, upload: UploadId): Promise<void>;
  cancel(exchange: Exchange, upload: UploadId): Promise<void>;
}

/** @param blobs asked for what a mount names */
export function createUploads(storage: Storage, files: UploadFiles, blobs: Blobs): Uploads {
  const accepted = (exchange: Exchange, upload: UploadId, size: number, status: number): void =>
    send(exchange, status, {
      location: location(upload),
      range: heldRange(size),
      'docker-upload-uuid': upload.id,
    });
  const created = (exchange: Exchange, repository: string, digest: ContentDigest): void =>
    send(exchange, 201, {
      location: `/v2/${repository}/blobs/${digest}`,
      'docker-content-digest': digest,
    });

  /** Whether a client may have a blob out of a repository, or out of any, when none is named. */
  const isMountable = async (
    digest: ContentDigest,
    from: string | null,
    { everywhere, may }: Access,
  ): Promise<boolean> => {
    if (from !== null)
      return isRepository(from) && may('pull', from) && (await blobs.sizeOf(from, digest)) !== undefined;
    if (everywhere('pull')) return true;
    // A blob that is there, and in no repository that the client may read, is none to it.
    return repositoriesOf(storage.root).some(
      (name) => may('pull', name) && isThere(storage.layout(name).layerLink(digest)),
    );
  };

  /** Links a blob that another repository holds; false when there is none that this client may read. */
  const mount = async (
    { query, access }: Exchange,
    repository: string,
    digest: ContentDigest,
  ): Promise<boolean> => {
    if (!(await isMountable(digest, query.get('from'), access))) return false;
    const layout = storage.layout(repository);
    const path = layout.blob(digest);
    if (!isThere(path)) return false;
    return withScratch(layout.uploads, (scratch) =>
      storage.lock.shared(() => {
        if (storedSize(path, digest) === undefined) return false;
        markUsed(path);
        placeLink(scratch, layout.layerLink(digest), digest);
        return true;
      }),
    );
  };

  const receive = async (exchange: Exchange, upload: UploadId): Promise<number> => {
    const { request } = exchange;
    const start = contentStart(request.headers['content-range'], request.headers['content-length']);
    return files.append(upload, request, start);
  };

  const receiveAll = async (exchange: Exchange, upload: UploadId, digest: ContentDigest): Promise<void> => {
    await receive(exchange, upload);
    await files.finish(upload, digest);
    created(exchange, upload.repository, digest);
  };

  return {
    begin: async (exchange, repository) => {
      const { query } = exchange;
      const wanted = query.get('mount');
      if (wanted !== null && isContentDigest(wanted)) {
        if (await mount(exchange, repository, wanted)) return created(exchange, repository, wanted);
      }
      const given = query.get('digest');
      const digest = given === null ? undefined : checkedDigest(given);
      const upload = files.begin(repository);
      if (digest !== undefined) return receiveAll(exchange, upload, digest);
      accepted(exchange, upload, 0, 202);
    },
    status: async (exchange, upload) => accepted(exchange, upload, files.sizeOf(upload), 204),
    patch: async (exchange, upload) => accepted(exchange, upload, await receive(exchange, upload), 202),
    finish: (exchange, upload) =>
      receiveAll(exchange, upload, checkedDigest(exchange.query.get('digest') ?? '')),
    cancel: async (exchange, upload) => {
      files.cancel(upload);
      send(exchange, 204);
    },
  };
}

/** Where the bytes of a chunk begin; undefined where the client does not say. @throws RegistryError SIZE_INVALID */
function contentStart(range: string | undefined, length: string | undefined): number | undefined {
  if (range === undefined) return undefined;
  const [, first, last] = /^(?:bytes[ =])?(\d+)-(\d+)(?:\/\S+)?$/.exec(range) ?? [];
  if (first === undefined || last === undefined) {
    throw new RegistryError(416, 'BLOB_UPLOAD_INVALID', 'the Content-Range is malformed');
  }
  const size = Number(last) - Number(first) + 1;
  if (length === undefined || Number(length) === size) return Number(first);
  throw new RegistryError(400, 'SIZE_INVALID', 'Content-Range and Content-Length do not agree');
}

function location({ repository, id }: UploadId): string {
  return `/v2/${repository}/blobs/uploads/${id}`;
}
