import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Digest, hexOf, isDigest } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { makePlainDirectory, realPathOf, removePlain, writePlain } from '../sys/plain.ts';
import {
  fileSize,
  ifExists,
  moveInto,
  readBlobFile,
  readSmallBlob,
  readSmallFile,
  storeBlobFile,
} from './blob-file.ts';
import { bytesSource } from './blob-source.ts';
import { canonicalJson } from './canonical-json.ts';
import { manifestMediaType, parseManifestDocument } from './manifest.ts';
import { MEDIA_TYPES } from './media-types.ts';
import type { Descriptor, RawManifest, Store } from './types.ts';

/** Annotation of index.json that holds a manifest's tag (OCI image spec, "Image Layout"). */
const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * An OCI image layout directory as a store: `oci-layout`, `index.json` with one entry per tag, `blobs/sha256`. A manifest
 * put without a tag is only a blob, so tools do not list it. An existing layout is added to; written by one process at a
 * time.
 * @throws AppError OUTPUT when the directory holds something else, or cannot be made
 */
export function createOciLayoutStore(dir: string): Store {
  checkLayout(dir);
  const real = realPathOf(dir);
  const indexPath = join(real, 'index.json');
  const blob = (digest: Digest): string => join(real, 'blobs/sha256', hexOf(digest));

  const entries = (): readonly Descriptor[] => {
    const bytes = ifExists(() => readSmallFile(indexPath));
    if (bytes === undefined) return [];
    const document = parseManifestDocument(bytes, indexPath, MEDIA_TYPES.ociIndex);
    return document.kind === 'index' ? document.index.manifests : [];
  };
  const writing = async <T>(work: (scratch: string) => Promise<T>): Promise<T> => {
    const scratch = join(real, `.tmp-${randomUUID()}`);
    try {
      makePlainDirectory(scratch);
      return await work(scratch);
    } catch (error) {
      throw toAppError(error, 'OUTPUT', `cannot write the OCI layout ${dir}`);
    } finally {
      removePlain(scratch);
    }
  };
  const writeJson = (scratch: string, name: string, value: unknown): void => {
    writePlain(join(scratch, name), canonicalJson(value));
    moveInto(join(scratch, name), join(real, name));
  };
  const describe = (bytes: Buffer, digest: Digest): RawManifest => ({
    descriptor: { mediaType: manifestMediaType(bytes, `the manifest ${digest}`), digest, size: bytes.length },
    bytes,
  });

  return {
    name: dir,
    has: async (digest) => fileSize(blob(digest)),
    get: async (digest, range, signal) => readBlobFile(blob(digest), digest, range, undefined, signal),
    put: async (source, signal) => {
      if (fileSize(blob(source.digest)) === source.size) return 'exists';
      await writing((scratch) => storeBlobFile(source, blob(source.digest), scratch, signal));
      return 'stored';
    },
    resolve: async (tagOrDigest) => {
      const digest = isDigest(tagOrDigest)
        ? tagOrDigest
        : entries().find((entry) => entry.annotations?.[REF_NAME] === tagOrDigest)?.digest;
      const bytes = digest && readSmallBlob(blob(digest), digest);
      return bytes && describe(bytes, digest);
    },
    tag: async (bytes, mediaType, tag, signal) => {
      const source = bytesSource(bytes);
      const descriptor: Descriptor = { mediaType, digest: source.digest, size: bytes.length };
      await writing(async (scratch) => {
        await storeBlobFile(source, blob(source.digest), scratch, signal);
        writeJson(scratch, 'oci-layout', { imageLayoutVersion: '1.0.0' });
        const others = entries().filter((entry) => entry.annotations?.[REF_NAME] !== tag);
        const own = tag === undefined ? [] : [{ ...descriptor, annotations: { [REF_NAME]: tag } }];
        const manifests = [...(tag === undefined ? entries() : others), ...own];
        writeJson(scratch, 'index.json', { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
      });
      return descriptor;
    },
  };
}

function checkLayout(dir: string): void {
  const path = { path: dir };
  let names: string[];
  try {
    names = ifExists(() => fs.readdirSync(dir)) ?? [];
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot use ${dir} as OCI layout`, { where: path });
  }
  if (ifExists(() => fs.statSync(dir))?.isDirectory() === false) {
    throw new AppError('OUTPUT', `${dir} is not a directory`, { hint: 'name a directory', where: path });
  }
  if (names.length === 0 || names.includes('oci-layout')) return;
  throw new AppError('OUTPUT', `${dir} holds other files ("${names[0]}") and is not an OCI layout`, {
    hint: 'name a new or empty directory',
    where: path,
  });
}
