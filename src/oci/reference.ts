import { isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Reference } from './types.ts';

export const DOCKER_HUB = 'docker.io';

const HOST =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]{1,5})?$/;
const HOST_IPV6 = /^\[[0-9a-fA-F:.]+\](?::[0-9]{1,5})?$/;
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const MAX_NAME = 255;

/** Whether a string can be a tag (OCI distribution spec, "Pulling manifests"). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether a string can be the name of a repository within a registry. */
export function isRepository(text: string): boolean {
  return text.length <= MAX_NAME && PATH.test(text);
}

/**
 * Parses an image reference as Docker does: `[registry/]repository[:tag][@digest]`. A first part without a dot or a port
 * that is not `localhost` belongs to Docker Hub, where a name of one part is below `library/`. No tag is made up: see
 * tagOrDigest.
 * @throws AppError REFERENCE, with a hint that names what to change
 */
export function parseReference(text: string): Reference {
  if (text === '') throw wrong(text, 'it is empty', 'name an image, as in debian:bookworm');
  if (/^https?:\/\//i.test(text))
    throw wrong(text, 'it starts with a scheme', `leave out "${text.slice(0, text.indexOf('/') + 2)}"`);
  if (/\s/.test(text)) throw wrong(text, 'it contains white space', 'remove the white space');
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : parseDigestPart(text, text.slice(at + 1));
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const tag = tagged ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !isTag(tag)) {
    throw wrong(
      text,
      `the tag "${tag.slice(0, 40)}" is malformed`,
      'a tag is up to 128 letters, digits, "_", "." and "-", and starts with a letter, digit or "_"',
    );
  }
  const { registry, repository } = splitName(text, tagged ? named.slice(0, colon) : named);
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    familiar: text,
  };
}

/** What to resolve a reference by: its digest, else its tag, else `latest`. */
export function tagOrDigest(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

/** A reference in full: registry, repository, then tag and digest where they are given. */
export function formatReference(reference: Omit<Reference, 'familiar'>): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function splitName(text: string, name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const hub = slash < 0 || (!/[.:[]/.test(first) && first !== 'localhost' && first === first.toLowerCase());
  const registry = hub || first === 'index.docker.io' ? DOCKER_HUB : first;
  const rest = hub ? name : name.slice(slash + 1);
  if (!hub && !HOST.test(first) && !HOST_IPV6.test(first)) {
    throw wrong(text, `"${first}" is not a host name`, 'write the registry as host or host:port');
  }
  const repository = registry === DOCKER_HUB && !rest.includes('/') ? `library/${rest}` : rest;
  if (/^[0-9a-f]{64}$/.test(rest) && hub) {
    throw wrong(text, 'an image ID is not a reference', 'name the image by its repository and tag or digest');
  }
  if (!PATH.test(repository)) {
    const lower = rest.toLowerCase();
    if (lower !== rest && PATH.test(lower)) {
      throw wrong(text, 'repository names are lower case', `write "${text.replace(rest, lower)}"`);
    }
    throw wrong(
      text,
      `the repository "${rest.slice(0, 100)}" is malformed`,
      'a repository is parts of lower-case letters and digits, with ".", "_" or "-" between them, separated by "/"',
    );
  }
  if (registry.length + repository.length + 1 > MAX_NAME)
    throw wrong(text, `its name is longer than ${MAX_NAME} characters`, 'use a shorter name');
  return { registry, repository };
}

function parseDigestPart(text: string, digest: string) {
  if (isDigest(digest)) return digest;
  const hint = /^sha(384|512):/.test(digest)
    ? 'only sha256 digests are supported'
    : 'a digest is "sha256:" and 64 lower-case hex digits';
  throw wrong(text, `the digest "${digest.slice(0, 100)}" is malformed`, hint);
}

function wrong(text: string, reason: string, hint: string): AppError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return new AppError(
    'REFERENCE',
    `"${shown.replace(/\/\/[^/@]*@/, '//')}" is not an image reference: ${reason}`,
    { hint },
  );
}
