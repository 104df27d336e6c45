import { type ContentDigest, digestOf, matchesDigest } from '../core/digest.ts';
import { LIMITS } from '../core/limits.ts';
import { CONDITION_HEADER } from '../oci/http/manifests.ts';
import { readAll } from '../oci/readable.ts';
import type { ManifestFiles, StoredManifest } from './manifest-files.ts';
import { type PushedManifest, parsePushedManifest, tryParse } from './pushed-manifest.ts';
import { RegistryError } from './registry-error.ts';
import { checkedTag } from './route.ts';
import { notModified, send } from './send.ts';
import type { Exchange, ManifestReference } from './types.ts';

/** Requests for the manifests of a repository. */
export interface Manifests {
  read(exchange: Exchange, repository: string, reference: ManifestReference): Promise<void>;
  write(exchange: Exchange, repository: string, reference: ManifestReference): Promise<void>;
  remove(exchange: Exchange, repository: string, reference: ManifestReference): Promise<void>;
}

/** What clients may rely on (OCI distribution spec, "Pushing Manifests"). */
const MAX_MANIFEST = LIMITS.pushedManifest.most;
const MAX_TAGS = 10;

/** Answers requests for manifests. */
export function createManifests(files: ManifestFiles): Manifests {
  return {
    read: async (exchange, repository, reference) => {
      const found = await files.read(repository, reference);
      if (found === undefined) throw unknownManifest(reference);
      const mediaType = tryParse(found.bytes)?.mediaType ?? 'application/octet-stream';
      if (!accepts(exchange.request.headers.accept, mediaType)) {
        throw new RegistryError(
          404,
          'MANIFEST_UNKNOWN',
          `it is of the type ${mediaType}, which is not accepted`,
        );
      }
      const etag = `"${found.digest}"`;
      const headers = { 'content-type': mediaType, 'docker-content-digest': found.digest, etag };
      if (notModified(exchange, etag)) return send(exchange, 304, headers);
      send(exchange, 200, headers, found.bytes);
    },
    write: async (exchange, repository, reference) => {
      const tooLarge = (): Error =>
        new RegistryError(413, 'SIZE_INVALID', `manifests may have ${MAX_MANIFEST} bytes`);
      if (Number(exchange.request.headers['content-length'] ?? 0) > MAX_MANIFEST) throw tooLarge();
      const bytes = await readAll(exchange.request, MAX_MANIFEST, tooLarge, Number.POSITIVE_INFINITY);
      const parsed = parsePushedManifest(bytes, exchange.request.headers['content-type']);
      const manifest = identify(bytes, reference);
      const parameters = exchange.query.getAll('tag').map(checkedTag).slice(0, MAX_TAGS);
      const tags = reference.type === 'tag' ? [reference.tag] : parameters;
      const onlyNew = tags.length > 0 && exchange.request.headers['if-none-match'] === '*';
      if (!(await files.write(repository, manifest, parsed, { tags, onlyNew })))
        throw new RegistryError(412, 'UNKNOWN', 'the tag is there already');
      send(exchange, 201, {
        ...pushedHeaders(repository, manifest.digest, parsed, parameters),
        ...(onlyNew ? { [CONDITION_HEADER]: 'met' } : {}),
      });
    },
    remove: async (exchange, repository, reference) => {
      if (!(await files.remove(repository, reference))) throw unknownManifest(reference);
      send(exchange, 202);
    },
  };
}

function identify(bytes: Buffer, reference: ManifestReference): StoredManifest {
  if (reference.type === 'tag') return { digest: digestOf(bytes), bytes };
  if (matchesDigest(bytes, reference.digest)) return { digest: reference.digest, bytes };
  throw new RegistryError(400, 'DIGEST_INVALID', 'the manifest has another digest');
}

function pushedHeaders(
  repository: string,
  digest: ContentDigest,
  { subject }: PushedManifest,
  tags: readonly string[],
): Readonly<Record<string, string | readonly string[]>> {
  return {
    location: `/v2/${repository}/manifests/${digest}`,
    'docker-content-digest': digest,
    ...(subject === undefined ? {} : { 'oci-subject': subject }),
    ...(tags.length === 0 ? {} : { 'oci-tag': tags }),
  };
}

/** Whether an Accept header takes a type. Only those who list types of manifests, and not this one, are refused. */
function accepts(header: string | undefined, mediaType: string): boolean {
  const types = (header ?? '*/*').split(',').map((part) => part.split(';', 1)[0]!.trim().toLowerCase());
  const listed = types.filter((type) => type.includes('.manifest') || type.includes('.image.index'));
  const open = types.some((type) => ['*/*', 'application/*', 'application/json', ''].includes(type));
  return open || listed.length === 0 || types.includes(mediaType);
}

function unknownManifest(reference: ManifestReference): RegistryError {
  return new RegistryError(404, 'MANIFEST_UNKNOWN', 'the repository does not hold this manifest', {
    detail: reference.type === 'tag' ? { tag: reference.tag } : { digest: reference.digest },
  });
}
