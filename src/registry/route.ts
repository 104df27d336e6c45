import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { isRepository, isTag } from '../oci/reference.ts';
import { RegistryError } from './registry-error.ts';
import type { ManifestReference, Route } from './types.ts';

const UPLOAD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Reads the path of a request (OCI distribution spec, "Endpoints"); undefined when it is none of the API's.
 * @throws RegistryError for a malformed name, tag or digest
 */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const [, name = '', kind = '', rest = ''] =
    /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|referrers|tags)(?:\/([^/]*))?$/.exec(path) ?? [];
  if (kind === '') return undefined;
  const repository = checkedRepository(name);
  if (kind === 'tags') return rest === 'list' ? { kind: 'tags', repository } : undefined;
  if (kind === 'manifests') return { kind: 'manifest', repository, reference: manifestReference(rest) };
  if (kind === 'blobs') return { kind: 'blob', repository, digest: checkedDigest(rest) };
  if (kind === 'referrers') return { kind: 'referrers', repository, digest: checkedDigest(rest) };
  if (rest === '') return { kind: 'uploads', repository };
  if (UPLOAD_ID.test(rest)) return { kind: 'upload', repository, id: rest };
  throw new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
}

/** @throws RegistryError NAME_INVALID */
function checkedRepository(name: string): string {
  if (isRepository(name)) return name;
  throw new RegistryError(400, 'NAME_INVALID', 'the name of the repository is malformed');
}

/** @throws RegistryError DIGEST_INVALID */
export function checkedDigest(text: string): ContentDigest {
  if (isContentDigest(text)) return text;
  throw new RegistryError(400, 'DIGEST_INVALID', 'the digest is not one by sha256 or sha512');
}

/** @throws RegistryError MANIFEST_INVALID */
export function checkedTag(text: string): string {
  if (isTag(text)) return text;
  throw new RegistryError(400, 'MANIFEST_INVALID', 'the tag is malformed');
}

function manifestReference(text: string): ManifestReference {
  return text.includes(':')
    ? { type: 'digest', digest: checkedDigest(text) }
    : { type: 'tag', tag: checkedTag(text) };
}
