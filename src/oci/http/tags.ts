import { AppError } from '../../core/error.ts';
import { TooSlow } from '../../core/network-limits.ts';
import { parseJson } from '../manifest.ts';
import { readAll } from '../readable.ts';
import { isTag } from '../reference.ts';
import { answerOf, networkError } from './errors.ts';
import type { Repository } from './manifests.ts';
import type { HttpResponse } from './types.ts';

const MAX_PAGE = 16 * 1024 * 1024;
const MAX_PAGES = 10_000;

/**
 * All tags of a repository, page by page (OCI distribution spec, "Listing Tags"), in the registry's order; none when the
 * repository does not exist.
 * @throws AppError REGISTRY, AUTH, CORRUPT
 */
export async function listTags(repository: Repository, signal?: AbortSignal): Promise<string[]> {
  const { client, registry } = repository;
  const what = `list the tags of ${registry}/${repository.repository}`;
  const tags = new Set<string>();
  const begun = performance.now();
  let path: string | undefined = `${repository.repository}/tags/list?n=1000`;
  for (let page = 0; path !== undefined && page < MAX_PAGES; page += 1) {
    if (performance.now() - begun > client.limits.answerMs) {
      const late = new TooSlow(`it took longer than ${client.limits.answerMs / 1000} seconds`);
      throw networkError(what, registry, `https://${registry}`, late);
    }
    const response: HttpResponse | undefined = await client
      .request(registry, {
        method: 'GET',
        path,
        scopes: [`repository:${repository.repository}:pull`],
        accept: [200],
        what,
        ...(signal === undefined ? {} : { signal }),
      })
      .catch((error: unknown) => {
        if (answerOf(error)?.status === 404) return undefined;
        throw error;
      });
    if (response === undefined) break;
    const tooLong = () => new AppError('CORRUPT', `the list of tags of ${registry} is too long`);
    const { tags: names } = parseJson(
      await readAll(response.body, MAX_PAGE, tooLong).catch((error: unknown) => {
        throw networkError(what, registry, response.url, error);
      }),
      'the list of tags',
    );
    const before = tags.size;
    for (const name of Array.isArray(names) ? names : [])
      if (typeof name === 'string' && isTag(name)) tags.add(name);
    const next: string | undefined = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(response.headers.link ?? '')?.[1];
    path = next === undefined || tags.size === before ? undefined : nextPage(next, response.url);
  }
  return [...tags];
}

/** Where a list goes on; undefined where what the registry says is no address. */
function nextPage(next: string, base: string): string | undefined {
  return URL.canParse(next, base) ? new URL(next, base).href : undefined;
}
