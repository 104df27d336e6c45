import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { ContentDigest } from '../core/digest.ts';
import { ifExists, readSmallFile } from '../oci/blob-file.ts';
import { dirLayout } from '../oci/dir-layout.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { namesPlain } from '../sys/plain.ts';
import type { ManifestFiles } from './manifest-files.ts';
import { tryParse } from './pushed-manifest.ts';
import { RegistryError } from './registry-error.ts';
import { send } from './send.ts';
import type { Exchange, Storage } from './types.ts';

/** Requests that find out what there is (OCI distribution spec, "Content Discovery"). */
export interface Discovery {
  tags(exchange: Exchange, repository: string): Promise<void>;
  catalog(exchange: Exchange): Promise<void>;
  referrers(exchange: Exchange, repository: string, subject: ContentDigest): Promise<void>;
}

interface Referrer {
  readonly subject: ContentDigest;
  readonly artifactType?: string;
  readonly descriptor: Readonly<Record<string, unknown>>;
}

const BATCH = 200;

/**
 * Lists tags, repositories and referrers. Referrers are read from the manifests themselves, each once in the life of a
 * process, so that those count too that another program put into the directory.
 */
export function createDiscovery(storage: Storage, files: ManifestFiles): Discovery {
  const read = new Map<string, Map<ContentDigest, Referrer | undefined>>();

  const referrersOf = async (repository: string): Promise<readonly Referrer[]> => {
    const known = read.get(repository) ?? new Map<ContentDigest, Referrer | undefined>();
    read.set(repository, known);
    const revisions = files.revisions(repository);
    const layout = storage.layout(repository);
    for (const [i, digest] of revisions.entries()) {
      if (i % BATCH === BATCH - 1) await breathe();
      if (!known.has(digest)) known.set(digest, readReferrer(layout.blob(digest), digest));
    }
    const current = new Set(revisions);
    for (const digest of known.keys()) if (!current.has(digest)) known.delete(digest);
    return revisions.flatMap((digest) => known.get(digest) ?? []);
  };

  return {
    tags: async (exchange, repository) => {
      const all = files.tags(repository);
      if (all === undefined) throw new RegistryError(404, 'NAME_UNKNOWN', 'there is no such repository');
      const { names, headers } = page(exchange, all, `/v2/${repository}/tags/list`);
      send(exchange, 200, headers, JSON.stringify({ name: repository, tags: names }));
    },
    catalog: async (exchange) => {
      const { access } = exchange;
      const shown = repositoriesOf(storage.root).filter((name) => access.may('pull', name));
      const { names, headers } = page(exchange, shown, '/v2/_catalog');
      send(exchange, 200, headers, JSON.stringify({ repositories: names }));
    },
    referrers: async (exchange, repository, subject) => {
      const wanted = exchange.query.get('artifactType');
      const found = (await referrersOf(repository)).filter(
        (referrer) => referrer.subject === subject && (!wanted || referrer.artifactType === wanted),
      );
      const manifests = found.map(({ descriptor }) => descriptor);
      const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
      const headers = {
        'content-type': MEDIA_TYPES.ociIndex,
        ...(wanted ? { 'oci-filters-applied': 'artifactType' } : {}),
      };
      send(exchange, 200, headers, JSON.stringify(index));
    },
  };
}

/** The names of all repositories below a root, sorted. */
export function repositoriesOf(root: string): readonly string[] {
  const top = join(dirLayout(root, 'any').base, 'repositories');
  const walk = (parts: readonly string[]): string[] => {
    const names = ifExists(() => namesPlain(join(top, ...parts))) ?? [];
    const own = names.some((name) => name === '_manifests' || name === '_layers') ? [parts.join('/')] : [];
    return [
      ...own,
      ...names.filter((name) => !name.startsWith('_')).flatMap((name) => walk([...parts, name])),
    ];
  };
  return walk([])
    .filter((name) => name !== '')
    .sort();
}

function readReferrer(path: string, digest: ContentDigest): Referrer | undefined {
  const bytes = ifExists(() => readSmallFile(path));
  const parsed = bytes && tryParse(bytes);
  if (bytes === undefined || parsed?.subject === undefined) return undefined;
  const { subject, artifactType, mediaType, annotations } = parsed;
  return {
    subject,
    ...(artifactType === undefined ? {} : { artifactType }),
    descriptor: {
      mediaType,
      digest,
      size: bytes.length,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

/** The part of a sorted list that `n` and `last` ask for, and the Link to the next one. */
function page(
  { query }: Exchange,
  all: readonly string[],
  path: string,
): { readonly names: readonly string[]; readonly headers: Readonly<Record<string, string>> } {
  const asked = query.get('n');
  if (asked !== null && !/^\d{1,9}$/.test(asked)) {
    throw new RegistryError(400, 'UNSUPPORTED', 'n is not a number');
  }
  const last = query.get('last');
  const start = last === null ? 0 : firstAfter(all, last);
  const limit = asked === null ? all.length : Number(asked);
  const names = all.slice(start, start + limit);
  const more = limit > 0 && start + limit < all.length;
  const next = new URLSearchParams({ n: String(limit), last: names.at(-1) ?? '' });
  return {
    names,
    headers: {
      'content-type': 'application/json',
      ...(more ? { link: `<${path}?${next}>; rel="next"` } : {}),
    },
  };
}

function firstAfter(all: readonly string[], last: string): number {
  const at = all.indexOf(last);
  if (at >= 0) return at + 1;
  const lower = last.toLowerCase();
  const next = all.findIndex((name) => name.toLowerCase() > lower);
  return next < 0 ? all.length : next;
}
