import * as v from 'valibot';
import { AppError } from '../../core/error.ts';
import { GITHUB_API, releaseApi, shownId } from './identifier.ts';
import type { FeatureId } from './types.ts';

type Tarball = Extract<FeatureId, { type: 'tarball' }>;

export interface DownloadDeps {
  /** Of GitHub; it is sent to no other host. */
  readonly token?: string;
  /** @throws AppError when there is nothing at the URL, or it is too large */
  readonly download: (url: string, headers: Readonly<Record<string, string>>) => Promise<Buffer>;
}

const PRIVATE =
  'one in a private repository needs the variable GITHUB_TOKEN, with the right to read its contents';
const assets = v.object({ assets: v.array(v.looseObject({ name: v.string(), url: v.string() })) });

/**
 * The file of a feature: from its URL, and from a release on GitHub by its API where there is a token, as private ones can
 * be had by that alone. A token that may not see a release does not stand in the way of a public one.
 * @throws AppError of `download`
 */
export async function downloadTarball(id: Tarball, { token, download }: DownloadDeps): Promise<Buffer> {
  if (!isOnGitHub(id.url)) return download(id.url, {});
  const login = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const tries: Try[] = [{ url: id.url, headers: {} }];
  if (login !== undefined && id.release === undefined) tries.unshift({ url: id.url, headers: login });
  const asset = login && id.release ? await assetOf(id, { login, download }) : undefined;
  if (login !== undefined && asset !== undefined)
    tries.unshift({ url: asset, headers: { ...login, accept: 'application/octet-stream' } });
  let last: unknown;
  for (const { url, headers } of tries) {
    try {
      return await download(url, headers);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      last = refused(id, error, token !== undefined);
    }
  }
  throw last;
}

interface Try {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** GitHub says that there is nothing where somebody may not look. */
function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && (error.code === 'REFERENCE' || error.code === 'AUTH');
}

function refused(id: Tarball, error: AppError, hasToken: boolean): AppError {
  const { where } = error;
  return new AppError(error.code, `${shownId(id)} cannot be had from GitHub: ${error.message}`, {
    cause: error,
    hint: hasToken ? 'check the name, the tag, and what GITHUB_TOKEN may read' : PRIVATE,
    ...(where === undefined ? {} : { where }),
  });
}

/** Where the API has the file; undefined where this token sees none. */
async function assetOf(
  { release, name }: Tarball,
  { login, download }: { readonly login: Readonly<Record<string, string>> } & Pick<DownloadDeps, 'download'>,
): Promise<string | undefined> {
  try {
    const answer = await download(releaseApi(release!), { ...login, accept: 'application/vnd.github+json' });
    const read = v.safeParse(assets, JSON.parse(answer.toString('utf8')));
    const found = read.success ? read.output.assets.find((one) => one.name === `${name}.tgz`) : undefined;
    return found?.url.startsWith(`${GITHUB_API}/`) ? found.url : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isRefusal(error)) return undefined;
    throw error;
  }
}

function isOnGitHub(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' && (hostname === 'github.com' || hostname === 'api.github.com');
}
