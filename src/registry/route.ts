import { type ContentDigest, isContentDigest } from '../core/digest.ts';
import { isRepository, isTag } from '../oci/reference.ts';
import { RegistryError } from './registry-error.ts';
import type { ManifestReference, Route } from './types.ts';

const UPLOAD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A request's target, taken apart. */
export interface Target {
  /** As it was sent: what is escaped in it, or goes up, is not resolved. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Takes the target of a request apart (RFC 9112, section 3.2: a path, or the whole URL). Nothing in it is normalised, so
 * that a name is what the client sent or nothing: no part of the API's paths needs escaping.
 * @throws RegistryError 400 when it is neither
 */
export function parseTarget(target: string): Target {
  const [, path = '/', query = ''] = /^(?:https?:\/\/[^/?#]*(?=[/?]|$))?(\/[^?#]*)?(?:\?([^#]*))?$/i.exec(
    target,
  ) ?? [undefined, ''];
  if (path !== '') return { path, query: new URLSearchParams(query) };
  throw new RegistryError(400, 'UNSUPPORTED', 'the path is malformed');
}

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
