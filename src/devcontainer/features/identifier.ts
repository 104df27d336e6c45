import { basename, dirname, join, relative } from 'node:path';
import { isDigest } from '../../core/digest.ts';
import { AppError, type Where } from '../../core/error.ts';
import { maskUrlCredentials } from '../../core/url-credentials.ts';
import { isRepository, isTag } from '../../oci/reference.ts';
import { currentName } from './legacy-ids.ts';
import type { FeatureId } from './types.ts';

const TARBALL = /^devcontainer-feature-([\w-]+)\.tgz$/i;

/**
 * What the id of a feature names (Dev Container Features reference, "Referencing a feature"): a repository of a registry,
 * an https tarball, a release on GitHub, or a folder below the one that devcontainer.json lies in.
 * @throws AppError DEVCONTAINER for what is none of them, and for folders outside
 */
export function parseFeatureId(
  written: string,
  { configFile, where }: { readonly configFile: string; readonly where: Where },
): FeatureId {
  const id = currentName(written);
  const refuse = (message: string, hint: string): AppError =>
    new AppError('DEVCONTAINER', `the feature "${shownId({ written })}" ${message}`, { where, hint });
  if (/^https?:\/\//i.test(id)) {
    const url = URL.canParse(id) ? new URL(id) : undefined;
    const name = TARBALL.exec(basename(url?.pathname ?? ''))?.[1];
    if (url?.protocol !== 'https:' || name === undefined) {
      throw refuse('is not a URL of a feature', 'such a URL is https://…/devcontainer-feature-NAME.tgz');
    }
    return { type: 'tarball', written, url: url.href, name };
  }
  if (/^\.{0,2}\//.test(id)) return localFeature(id, configFile, refuse, written);
  const release = releaseFeature(id, written);
  if (release) return release;
  if (!id.includes('/')) {
    throw refuse('names no registry', `write it as ghcr.io/OWNER/FEATURES/NAME, or ./${id} for a folder`);
  }
  return registryFeature(id.toLowerCase(), refuse, written);
}

export const GITHUB_API = 'https://api.github.com';
const RELEASE = /^([A-Za-z0-9-]+)\/([\w.-]+)\/([\w-]+)(?:@([^/@\s]+))?$/;

/** A feature in a release on GitHub, the way before registries: OWNER/REPOSITORY/NAME, perhaps with `@TAG`. */
function releaseFeature(id: string, written: string): FeatureId | undefined {
  const [, owner, repository, name, version] = RELEASE.exec(id) ?? [];
  if (owner === undefined || owner === 'localhost' || repository === undefined || name === undefined)
    return undefined;
  if (version !== undefined && isDigest(version)) return undefined;
  const tag = version === 'latest' ? undefined : version;
  return {
    type: 'tarball',
    written,
    url: `${releaseUrl({ owner, repository, ...(tag === undefined ? {} : { tag }) })}/${name}.tgz`,
    name,
    release: { owner, repository, ...(tag === undefined ? {} : { tag }) },
  };
}

/** Where the files of a release lie, without a login. */
export function releaseUrl({
  owner,
  repository,
  tag,
}: NonNullable<Extract<FeatureId, { type: 'tarball' }>['release']>): string {
  const releases = `https://github.com/${owner}/${repository}/releases`;
  return tag === undefined
    ? `${releases}/latest/download`
    : `${releases}/download/${encodeURIComponent(tag)}`;
}

/** What GitHub says of a release, to those with a login as well. */
export function releaseApi({
  owner,
  repository,
  tag,
}: NonNullable<Extract<FeatureId, { type: 'tarball' }>['release']>): string {
  const releases = `${GITHUB_API}/repos/${owner}/${repository}/releases`;
  return `${releases}/${tag === undefined ? 'latest' : `tags/${encodeURIComponent(tag)}`}`;
}

type Refuse = (message: string, hint: string) => AppError;

function localFeature(id: string, configFile: string, refuse: Refuse, written: string): FeatureId {
  if (id.startsWith('/'))
    throw refuse('is an absolute path', 'name its folder relative to devcontainer.json');
  const folder = dirname(configFile);
  const path = join(folder, id);
  const below = relative(featuresRoot(folder), path);
  if (below === '' || below === '..' || below.startsWith('../')) {
    throw refuse(
      'lies outside of the folder of devcontainer.json',
      'move the feature below the .devcontainer folder',
    );
  }
  return { type: 'local', written, path, name: basename(path) };
}

/** The folder that local features must lie in: the nearest `.devcontainer`, else that of devcontainer.json. */
export function featuresRoot(folder: string): string {
  const parts = folder.split('/');
  const at = parts.lastIndexOf('.devcontainer');
  return at < 0 ? folder : parts.slice(0, at + 1).join('/');
}

function registryFeature(id: string, refuse: Refuse, written: string): FeatureId {
  const at = id.indexOf('@');
  const named = at < 0 ? id : id.slice(0, at);
  const digest = at < 0 ? undefined : id.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw refuse('has a malformed version', 'a digest is sha256: and 64 hex digits; a tag stands behind ":"');
  }
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const tag = tagged ? named.slice(colon + 1) : digest === undefined ? 'latest' : undefined;
  if (tag !== undefined && !isTag(tag))
    throw refuse('has a malformed version', 'a version is a tag such as 1 or 1.2.3');
  const [registry = '', ...rest] = (tagged ? named.slice(0, colon) : named).split('/');
  if (!/[.:]/.test(registry) && registry !== 'localhost') {
    throw refuse(
      'names no registry',
      'write it as ghcr.io/OWNER/FEATURES/NAME; look for the feature at https://containers.dev/features',
    );
  }
  // This owner was renamed, and the reference implementation follows.
  const path = rest.map((part, i) =>
    i === 0 && part === 'devcontainers-contrib' ? 'devcontainers-extra' : part,
  );
  if (path.length < 2 || !isRepository(path.join('/'))) {
    throw refuse('is malformed', 'write it as REGISTRY/OWNER/FEATURES/NAME:VERSION');
  }
  const name = path.at(-1)!;
  const namespace = path.slice(0, -1).join('/');
  return {
    type: 'oci',
    written,
    registry,
    namespace,
    name,
    ...(digest === undefined ? { tag: tag! } : { digest }),
  };
}

/** The id of a feature as it may be shown: as it is written, without credentials. */
export function shownId({ written }: Pick<FeatureId, 'written'>): string {
  return maskUrlCredentials(written);
}

/** The id of a feature of a registry without its version. */
export function resourceOf({ registry, namespace, name }: Extract<FeatureId, { type: 'oci' }>): string {
  return `${registry}/${namespace}/${name}`;
}
