import { createHash, type Hash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from '../core/concurrency.ts';
import { algorithmOf, type ContentDigest, hexOf } from '../core/digest.ts';
import { fileSize, ifExists, moveInto } from '../oci/blob-file.ts';
import { FILE_CHUNK } from '../oci/blob-source.ts';
import { placeLink } from '../oci/dir-link.ts';
import { purgeScratch } from '../oci/dir-scratch.ts';
import { coalesce } from '../oci/http/coalesce.ts';
import {
  makePlainDirectory,
  openPlainFile,
  removePlain,
  streamPlainFile,
  writeNewPlain,
} from '../sys/plain.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { RegistryError } from './registry-error.ts';
import type { Storage } from './types.ts';

/** An upload that exists: a directory in the repository's `_uploads`, so that any process can go on with it. */
export interface UploadId {
  readonly repository: string;
  readonly id: string;
}

/** The files of unfinished uploads. */
export interface UploadFiles {
  begin(repository: string): UploadId;
  /** Bytes that have arrived. @throws RegistryError BLOB_UPLOAD_UNKNOWN */
  sizeOf(upload: UploadId): number;
  /**
   * Adds bytes; what arrives before a connection breaks is kept. A second writer takes over from the first one, whose
   * connection is then dead.
   * @param start where the bytes belong; at the end when left out
   * @returns the new size
   * @throws RegistryError BLOB_UPLOAD_UNKNOWN; 416 with the size when they belong elsewhere
   */
  append(upload: UploadId, body: Readable, start?: number): Promise<number>;
  /**
   * Makes the upload a blob of its repository once its content is verified; it is gone afterwards either way.
   * @throws RegistryError DIGEST_INVALID, BLOB_UPLOAD_UNKNOWN
   */
  finish(upload: UploadId, digest: ContentDigest): Promise<void>;
  /** @throws RegistryError BLOB_UPLOAD_UNKNOWN */
  cancel(upload: UploadId): void;
}

interface Progress {
  readonly hash: Hash;
  hashed: number;
  writer: { readonly body: Readable; readonly done: Promise<void> } | undefined;
  usedAt: number;
}

/** Hash states of uploads that nobody goes on with are forgotten after this long; the file is then read again. */
const FORGET_MS = 60 * 60 * 1000;
const LOCK_TRIES = 100;
const LOCK_WAIT_MS = 100;

/** Uploads as directories below the repositories' `_uploads`, as CNCF Distribution lays them out. */
export function createUploadFiles(storage: Storage): UploadFiles {
  const progress = new Map<string, Progress>();
  const syscalls = once(createSyscalls);
  const purged = new Set<string>();
  const directory = ({ repository, id }: UploadId): string => join(storage.layout(repository).uploads, id);
  const dataFile = (upload: UploadId): string => join(directory(upload), 'data');

  const progressOf = (id: string): Progress => {
    const now = Date.now();
    for (const [key, { usedAt, writer }] of progress)
      if (writer === undefined && usedAt < now - FORGET_MS) progress.delete(key);
    let known = progress.get(id);
    if (known === undefined) {
      known = { hash: createHash('sha256'), hashed: 0, writer: undefined, usedAt: now };
      progress.set(id, known);
    }
    known.usedAt = now;
    return known;
  };

  const sizeOf = (upload: UploadId): number => {
    const size = fileSize(dataFile(upload));
    if (size === undefined) throw unknownUpload();
    return size;
  };

  const open = async (upload: UploadId): Promise<number> => {
    const fd = ifExists(() => openPlainFile(dataFile(upload), fs.constants.O_RDWR));
    if (fd === undefined) throw unknownUpload();
    for (let tries = 0; !syscalls().tryLock(fd); tries += 1) {
      if (tries === LOCK_TRIES) {
        fs.closeSync(fd);
        throw new RegistryError(409, 'BLOB_UPLOAD_INVALID', 'another request is writing this upload');
      }
      await sleep(LOCK_WAIT_MS);
    }
    return fd;
  };

  const remove = (upload: UploadId): void => {
    progress.delete(upload.id);
    removePlain(directory(upload));
  };

  return {
    sizeOf,
    begin: (repository) => {
      const { uploads } = storage.layout(repository);
      if (!purged.has(repository)) purgeScratch(uploads);
      purged.add(repository);
      const upload = { repository, id: randomUUID() };
      makePlainDirectory(directory(upload));
      writeNewPlain(join(directory(upload), 'startedat'), `${new Date().toISOString().slice(0, 19)}Z`);
      writeNewPlain(dataFile(upload), '');
      return upload;
    },
    append: async (upload, body, start) => {
      const known = progressOf(upload.id);
      const before = known.writer;
      const { promise, resolve } = Promise.withResolvers<void>();
      known.writer = { body, done: promise };
      let fd: number | undefined;
      try {
        before?.body.destroy();
        await before?.done;
        fd = await open(upload);
        let at = fs.fstatSync(fd).size;
        if (start !== undefined && start !== at) throw wrongOffset(at);
        for await (const chunk of coalesce(unharmed(body), FILE_CHUNK)) {
          await writeFully(fd, chunk, at);
          if (known.hashed === at) {
            known.hash.update(chunk);
            known.hashed += chunk.length;
          }
          at += chunk.length;
          known.usedAt = Date.now();
        }
        return at;
      } finally {
        if (fd !== undefined) fs.closeSync(fd);
        if (known.writer.body === body) known.writer = undefined;
        resolve();
      }
    },
    finish: async (upload, digest) => {
      const fd = await open(upload);
      const layout = storage.layout(upload.repository);
      try {
        const known = progressOf(upload.id);
        const size = fs.fstatSync(fd).size;
        const running = algorithmOf(digest) === 'sha256' && known.hashed === size;
        const hex = running ? known.hash.digest('hex') : await hashFile(dataFile(upload), digest);
        if (hex !== hexOf(digest)) {
          throw new RegistryError(400, 'DIGEST_INVALID', 'what was uploaded has another digest', {
            detail: { expected: digest, size },
          });
        }
        await sync(fd);
        await storage.lock.shared(() => {
          fs.futimesSync(fd, new Date(), new Date());
          moveInto(dataFile(upload), layout.blob(digest));
          placeLink(directory(upload), layout.layerLink(digest), digest);
        });
      } finally {
        fs.closeSync(fd);
        remove(upload);
      }
    },
    cancel: (upload) => {
      sizeOf(upload);
      progress.get(upload.id)?.writer?.body.destroy();
      remove(upload);
    },
  };
}

/** The chunks of a request whose connection is still needed for the answer when writing them fails. */
function unharmed(body: Readable): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => body.iterator({ destroyOnReturn: false }) };
}

/** Puts what is in a file's cache on the disk, so that a loss of power cannot leave a blob that is not whole. */
function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())));
}

async function writeFully(fd: number, chunk: Buffer, position: number): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    fs.write(fd, chunk, at, chunk.length - at, position + at, (error, written) =>
      error ? reject(error) : resolve(written),
    );
    at += await promise;
  }
}

async function hashFile(path: string, digest: ContentDigest): Promise<string> {
  const hash = createHash(algorithmOf(digest));
  for await (const chunk of streamPlainFile(path, { highWaterMark: FILE_CHUNK })) hash.update(chunk);
  return hash.digest('hex');
}

function unknownUpload(): RegistryError {
  return new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
}

function wrongOffset(size: number): RegistryError {
  return new RegistryError(416, 'BLOB_UPLOAD_INVALID', `the upload stands at ${size} bytes`, {
    headers: { range: heldRange(size) },
  });
}

/** How much of an upload is there, as a Range header says it. */
export function heldRange(size: number): string {
  return `0-${Math.max(0, size - 1)}`;
}
