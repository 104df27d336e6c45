import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startOwnRegistry } from './own-registry.ts';

/** What a cache can be kept in, as far as builds that race can tell. */
export const PLACES = [
  'a directory',
  'our registry',
  "Distribution's registry",
  'a registry with immutable tags',
  'our registry behind a proxy without conditions',
  'a registry that fails now and then',
  'a registry that takes no leases',
] as const;
export type PlaceName = (typeof PLACES)[number];

/** A place that is made for one test. */
export interface Place {
  readonly name: PlaceName;
  /** Options of the command line for a cache of its own, another one at every call. */
  cache(): readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * @param dir of the test alone
 * @param registry `host:port` of Distribution's registry
 */
export async function openPlace(name: PlaceName, dir: string, registry: string): Promise<Place> {
  const unique = (): string => randomBytes(5).toString('hex');
  if (name === 'a directory')
    return {
      name,
      cache: () => [`--layer-cache-dir=${join(dir, `cache-${unique()}`)}`],
      stop: async () => {},
    };
  const own = name.startsWith('our registry')
    ? await startOwnRegistry(dir, join(dir, `storage-${unique()}`))
    : undefined;
  const target = own?.host ?? registry;
  const meddler = MEDDLERS[name] && (await startMeddler(target, MEDDLERS[name]));
  const host = meddler?.host ?? target;
  return {
    name,
    cache: () => [`--cache-repo=${host}/race/${unique()}`],
    stop: async () => {
      await meddler?.stop();
      await own?.stop();
    },
  };
}

/** A request on its way to a registry. */
interface Passing {
  readonly incoming: IncomingMessage;
  /** Of a manifest that is pushed, its tag. */
  readonly tag: string | undefined;
  readonly target: string;
}

interface Meddler {
  /** Answers instead of the registry; undefined lets the request through. */
  refuse?(passing: Passing): Promise<[status: number, code: string] | undefined>;
  /** Headers that neither side gets to see. */
  readonly hidden?: readonly string[];
}

/** When a request for a tag failed last, as performance.now tells the time. */
const FAILED = new Map<string, number>();
/** Who asks again within this time, in milliseconds, is answered, whoever else asks for the same. */
const ANSWERED_MS = 1000;

const MEDDLERS: Partial<Record<PlaceName, Meddler>> = {
  'a registry with immutable tags': {
    refuse: async ({ incoming, tag, target }) => {
      if (tag === undefined) return undefined;
      const found = await fetch(new URL(incoming.url!, `http://${target}`), {
        method: 'HEAD',
        headers: ACCEPT,
      });
      return found.ok ? [400, 'TAG_INVALID'] : undefined;
    },
  },
  'our registry behind a proxy without conditions': { hidden: ['if-none-match', 'envbuilder-condition'] },
  // As Distribution does when a tag is read while it is written.
  'a registry that fails now and then': {
    refuse: async ({ incoming: { method, url = '' } }) => {
      const request = /\/manifests\/(?!sha256:)/.test(url) ? `${method} ${url}` : undefined;
      const now = performance.now();
      if (request === undefined || now - (FAILED.get(request) ?? -Infinity) < ANSWERED_MS) return undefined;
      FAILED.set(request, now);
      return [500, 'UNKNOWN'];
    },
  },
  'a registry that takes no leases': {
    refuse: async ({ tag }) => (tag?.startsWith('lease') ? [405, 'UNSUPPORTED'] : undefined),
  },
};

const ACCEPT = {
  accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json',
};

async function startMeddler(target: string, meddler: Meddler) {
  const busy = new Map<string, Promise<unknown>>();
  const pass = (incoming: IncomingMessage, response: ServerResponse): Promise<void> =>
    new Promise((resolve) => {
      const url = new URL(incoming.url ?? '/', `http://${target}`);
      const headers = without(incoming.headers, meddler.hidden);
      const onward = request(url, { method: incoming.method ?? 'GET', headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, without(answer.headers, meddler.hidden));
        answer.pipe(response).on('close', resolve);
      });
      onward.on('error', () => {
        response.destroy();
        resolve();
      });
      incoming.pipe(onward);
    });
  const handle = async (passing: Passing, response: ServerResponse): Promise<void> => {
    const refusal = await meddler.refuse?.(passing);
    if (!refusal) return pass(passing.incoming, response);
    passing.incoming.resume();
    response.writeHead(refusal[0], { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: refusal[1], message: 'refused by the test' }] }));
  };
  const server = createServer((incoming, response) => {
    incoming.on('error', () => {});
    response.on('error', () => {});
    const name = /\/manifests\/([^/?]+)$/.exec(incoming.url ?? '')?.[1];
    const tag =
      incoming.method === 'PUT' && name !== undefined && !name.startsWith('sha256:') ? name : undefined;
    // One after another for each tag, as a registry that keeps what it has must.
    const before = busy.get(tag ?? '') ?? Promise.resolve();
    const work = (): Promise<void> =>
      handle({ incoming, tag, target }, response).catch(() => void response.destroy());
    if (tag === undefined) void work();
    else busy.set(tag, before.then(work));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function without<T extends object>(headers: T, names: readonly string[] = []): T {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())),
  ) as T;
}
