import { type Digest, digestOf, isDigest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { LIMITS } from '../../core/limits.ts';
import { retry } from '../../core/retry.ts';
import { againIfCorrupt } from '../again.ts';
import { manifestMediaType } from '../manifest.ts';
import { MANIFEST_ACCEPT } from '../media-types.ts';
import { readAll } from '../readable.ts';
import type { Created, Descriptor, RawManifest } from '../types.ts';
import { answerOf, networkError, redactUrl } from './errors.ts';
import { discard } from './redirect.ts';
import type { HttpResponse, RegistryClient } from './types.ts';

/** A repository of a registry, and the client to call it with. */
export interface Repository {
  readonly client: RegistryClient;
  readonly registry: string;
  readonly repository: string;
}

const MAX_MANIFEST = LIMITS.manifest.most;

/** The manifest or index under a tag or digest, verified; undefined when there is none. @throws AppError REGISTRY, AUTH, CORRUPT */
export function getManifest(
  repository: Repository,
  tagOrDigest: string,
  signal?: AbortSignal,
): Promise<RawManifest | undefined> {
  return againIfCorrupt(() => readManifest(repository, tagOrDigest, signal));
}

async function readManifest(
  repository: Repository,
  tagOrDigest: string,
  signal: AbortSignal | undefined,
): Promise<RawManifest | undefined> {
  const { client, registry } = repository;
  const what = `the manifest ${tagOrDigest} of ${registry}/${repository.repository}`;
  const tooLong = () => new AppError('CORRUPT', `${what} is larger than ${MAX_MANIFEST} bytes`);
  // An answer that breaks off is asked for again as a whole.
  const read = async (): Promise<{ response: HttpResponse; bytes: Buffer } | undefined> => {
    const response = await ask(repository, 'GET', tagOrDigest, signal, 1);
    if (response === undefined) return undefined;
    const bytes = await readAll(response.body, MAX_MANIFEST, tooLong).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw networkError(`read ${what}`, registry, response.url, error);
    });
    return { response, bytes };
  };
  const onRetry = (error: unknown, attempt: number, delayMs: number): void =>
    client.emit({ type: 'retry', what: `read ${what}`, attempt, delayMs, reason: (error as Error).message });
  const hooks = { delayFor: client.delayFor, onRetry, ...(signal === undefined ? {} : { signal }) };
  const answered = await retry(client.policy, hooks, read);
  if (answered === undefined) return undefined;
  const { response, bytes } = answered;
  const digest = digestOf(bytes);
  const told = response.headers['docker-content-digest'] ?? '';
  const expected = isDigest(tagOrDigest) ? tagOrDigest : isDigest(told) ? told : digest;
  if (digest !== expected) {
    const where = { url: redactUrl(response.url) };
    throw new AppError('CORRUPT', `${what} should have the digest ${expected}, but has ${digest}`, {
      where,
      hint: 'try again; when it stays so, the registry or a proxy on the way changes it',
    });
  }
  const mediaType = contentType(response) ?? manifestMediaType(bytes, what);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

/**
 * The descriptor of a manifest or index by HEAD, which most registries do not count as a pull; undefined when there is
 * none. What it says is not verified.
 * @throws AppError REGISTRY, AUTH
 */
export async function headManifest(
  repository: Repository,
  tagOrDigest: string,
  signal?: AbortSignal,
): Promise<Descriptor | undefined> {
  const response = await ask(repository, 'HEAD', tagOrDigest, signal);
  if (response === undefined) return undefined;
  discard(response.body);
  const digest = response.headers['docker-content-digest'] ?? tagOrDigest;
  const mediaType = contentType(response);
  const size = Number(response.headers['content-length']);
  if (isDigest(digest) && mediaType !== undefined && Number.isSafeInteger(size))
    return { mediaType, digest, size };
  return (await getManifest(repository, tagOrDigest, signal))?.descriptor;
}

/**
 * With what our registry says that it knows `If-None-Match` of a PUT ('known'), and that it went by it ('met'): others
 * may store without looking.
 */
export const CONDITION_HEADER = 'envbuilder-condition';

/** Puts a manifest under a tag or its own digest. @throws AppError REGISTRY, AUTH */
export async function putManifest(
  repository: Repository,
  bytes: Buffer,
  mediaType: string,
  tag?: string,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const digest: Digest = digestOf(bytes);
  const response = await put(repository, { bytes, mediaType, name: tag ?? digest, headers: {} }, signal);
  discard(response.body);
  return { mediaType, digest, size: bytes.length };
}

/** As Store.refer: a registry that lists referrers says so in `OCI-Subject`. @throws AppError REGISTRY, AUTH */
export async function putReferrer(
  repository: Repository,
  bytes: Buffer,
  mediaType: string,
  signal?: AbortSignal,
): Promise<{ readonly descriptor: Descriptor; readonly listed: boolean }> {
  const digest: Digest = digestOf(bytes);
  const response = await put(repository, { bytes, mediaType, name: digest, headers: {} }, signal);
  discard(response.body);
  const listed = response.headers['oci-subject'] !== undefined;
  return { descriptor: { mediaType, digest, size: bytes.length }, listed };
}

/**
 * As Store.create: `If-None-Match: *` asks for a tag that is not there (RFC 9110, section 13.1.2). Several tags are given
 * as parameters, which our registry knows.
 * @throws AppError REGISTRY, AUTH
 */
export async function createManifest(
  repository: Repository,
  bytes: Buffer,
  mediaType: string,
  tags: readonly string[],
  signal?: AbortSignal,
): Promise<Created> {
  const headers = { 'if-none-match': '*' };
  const query = tags.map((tag) => `tag=${tag}`).join('&');
  const name = tags.length === 1 ? tags[0]! : `${digestOf(bytes)}?${query}`;
  const response = await put(repository, { bytes, mediaType, name, headers }, signal, [412]);
  discard(response.body);
  if (response.status === 412) return 'exists';
  return response.headers[CONDITION_HEADER] === 'met' ? 'created' : 'unsure';
}

/** Deletes a manifest, and with it the tags that name it; false where the registry does not do that. @throws AppError REGISTRY, AUTH */
export async function deleteManifest(
  { client, registry, repository }: Repository,
  digest: Digest,
  signal?: AbortSignal,
): Promise<boolean> {
  const response = await client.request(registry, {
    method: 'DELETE',
    path: `${repository}/manifests/${digest}`,
    // A token of its own, for `delete`, would be asked for by every build, and many may not have it.
    scopes: [`repository:${repository}:pull,push`],
    accept: [200, 202, 204, 400, 401, 403, 404, 405, 501],
    what: `delete ${registry}/${repository}@${digest.slice(0, 19)}`,
    ...(signal === undefined ? {} : { signal }),
  });
  discard(response.body);
  return response.status < 300 || response.status === 404;
}

function put(
  { client, registry, repository }: Repository,
  {
    bytes,
    mediaType,
    name,
    headers,
  }: {
    readonly bytes: Buffer;
    readonly mediaType: string;
    readonly name: string;
    readonly headers: Readonly<Record<string, string>>;
  },
  signal: AbortSignal | undefined,
  accept: readonly number[] = [],
): Promise<HttpResponse> {
  return client.request(registry, {
    method: 'PUT',
    path: `${repository}/manifests/${name}`,
    headers: { 'content-type': mediaType, 'content-length': String(bytes.length), ...headers },
    body: () => bytes,
    scopes: [`repository:${repository}:pull,push`],
    accept: [200, 201, 202, 204, ...accept],
    what: `push ${registry}/${repository}${isDigest(name) ? `@${name.slice(0, 19)}` : `:${name}`}`,
    ...(signal === undefined ? {} : { signal }),
  });
}

async function ask(
  { client, registry, repository }: Repository,
  method: 'GET' | 'HEAD',
  tagOrDigest: string,
  signal: AbortSignal | undefined,
  attempts?: number,
): Promise<HttpResponse | undefined> {
  try {
    return await client.request(registry, {
      method,
      path: `${repository}/manifests/${tagOrDigest}`,
      headers: { accept: MANIFEST_ACCEPT },
      scopes: [`repository:${repository}:pull`],
      accept: [200],
      what: `look up ${registry}/${repository}${isDigest(tagOrDigest) ? '@' : ':'}${tagOrDigest}`,
      ...(attempts === undefined ? {} : { attempts }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (answerOf(error)?.status === 404) return undefined;
    throw error;
  }
}

function contentType({ headers }: HttpResponse): string | undefined {
  const type = headers['content-type']?.split(';', 1)[0]?.trim();
  return type !== undefined && MANIFEST_ACCEPT.split(', ').includes(type) ? type : undefined;
}
