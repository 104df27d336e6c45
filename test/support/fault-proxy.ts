import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a request to a registry is for. */
export const KINDS = [
  'log in',
  'look up a manifest',
  'ask for a blob',
  'read a blob',
  'read a part',
  'begin an upload',
  'send a blob',
  'push a manifest',
] as const;
/** Those that a cached build makes, finer than the others. */
const FINE_KINDS = [
  'say hello',
  'ask for a manifest',
  'mount a blob',
  'ask how an upload stands',
  'send a part',
  'push by digest',
] as const;
export type Kind = (typeof KINDS)[number] | (typeof FINE_KINDS)[number];

/** Answers that a registry's client may meet, and that need only be tried where nothing may come of them. */
export const MORE_FAULTS = [
  '400',
  '405',
  '416',
  '204',
  'no length',
  'length 0',
  'HTML',
  'garbage',
  'empty',
  'nowhere',
  'silent end',
] as const;
export const FAULTS = [
  '401',
  '403',
  '404',
  '409',
  '429',
  '500',
  '502',
  'reset',
  'truncated',
  'wrong digest',
  'slow',
  'wrong length',
  'redirect loop',
  'no such host',
  'full disk',
  'immutable tag',
] as const;
export type Fault = (typeof FAULTS)[number] | (typeof MORE_FAULTS)[number];

/** One fault, at one kind of request, as often as it says. */
export interface Rule {
  readonly kind: Kind;
  readonly fault: Fault;
  readonly times: number;
  /** Only for manifests under this tag or digest. */
  readonly name?: RegExp;
}

export interface FaultProxy {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** How often the fault was injected. */
  readonly injected: () => number;
  /** Requests that arrived, of all kinds. */
  readonly requests: () => number;
  /** The kinds of requests that arrived. */
  readonly kinds: () => ReadonlySet<Kind>;
  readonly stop: () => Promise<void>;
}

const STATUSES: Partial<Record<Fault, [number, string]>> = {
  '400': [400, 'UNSUPPORTED'],
  '405': [405, 'UNSUPPORTED'],
  '416': [416, 'SIZE_INVALID'],
  '403': [403, 'DENIED'],
  '404': [404, 'NAME_UNKNOWN'],
  '409': [409, 'CONFLICT'],
  '429': [429, 'TOOMANYREQUESTS'],
  '500': [500, 'UNKNOWN'],
  '502': [502, 'UNKNOWN'],
  'full disk': [507, 'UNKNOWN'],
  'immutable tag': [400, 'TAG_INVALID'],
};

/** Looks at a manifest that is pushed; what it gives is the status and the code of the refusal. */
export type Taste = (
  manifest: Record<string, unknown>,
  name: string,
) => Promise<[number, string] | undefined>;

/** A registry before another one: it asks for a token, does what a rule says, and takes what is to its taste. */
export async function startFaultProxy(target: string, rule?: Rule, taste?: Taste): Promise<FaultProxy> {
  const tokens = new Set<string>();
  const kinds = new Set<Kind>();
  let [injected, requests] = [0, 0];
  let host = '';

  const challenge = (response: ServerResponse): void => {
    const header = `Bearer realm="http://${host}/token",service="faults"`;
    answer(response, 401, 'UNAUTHORIZED', { 'www-authenticate': header });
  };
  const server = createServer(async (incoming, response) => {
    incoming.on('error', () => {});
    response.on('error', () => {});
    requests += 1;
    const url = new URL(incoming.url ?? '/', 'http://registry');
    const kind = kindOf(incoming, url);
    for (const each of kindsOf(incoming, url)) if (each !== undefined) kinds.add(each);
    const applies =
      rule !== undefined &&
      kindsOf(incoming, url).includes(rule.kind) &&
      injected < rule.times &&
      named(rule, url);
    const token = incoming.headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (kind !== 'log in' && !tokens.has(token)) return challenge(response);
    if (applies) injected += 1;
    try {
      if (applies && (await inject(rule.fault, incoming, response))) return;
      if (kind === 'log in') {
        if (applies && breaks(rule.fault)) {
          response.writeHead(200, { 'content-length': 500 }).write('{"token": ');
          // Wait: what was written is on its way before the connection ends.
          await sleep(20);
          response.destroy();
          return;
        }
        const made = randomBytes(12).toString('hex');
        tokens.add(made);
        response.end(JSON.stringify({ token: made, expires_in: 300 }));
        return;
      }
      if (taste !== undefined && kind === 'push a manifest') {
        const body = await collect(incoming);
        const refusal = await taste(JSON.parse(body.toString()), url.pathname.split('/').at(-1)!);
        if (refusal !== undefined) {
          injected += 1;
          return answer(response, ...refusal);
        }
        await forward(incoming, response, target, undefined, body);
        return;
      }
      await forward(incoming, response, target, applies ? rule.fault : undefined);
    } catch {
      response.destroy();
    }
  });

  /** @returns whether the request is answered */
  const inject = async (fault: Fault, incoming: IncomingMessage, response: ServerResponse) => {
    if (fault === '401') {
      tokens.clear();
      await firstBytes(incoming);
      challenge(response);
      return true;
    }
    if (fault === 'reset' && incoming.method !== 'GET' && incoming.method !== 'HEAD') {
      await firstBytes(incoming);
      incoming.socket.resetAndDestroy();
      return true;
    }
    if (fault === 'redirect loop' || fault === 'no such host') {
      const location = fault === 'redirect loop' ? incoming.url! : 'http://no-such-host.invalid/';
      answer(response, 307, 'UNKNOWN', { location });
      return true;
    }
    // Wait: it is slow on purpose.
    if (fault === 'slow') await sleep(400);
    const bare = BARE[fault];
    if (bare !== undefined) {
      await firstBytes(incoming);
      const body = bare.body ?? '';
      const length = bare.status === 204 ? {} : { 'content-length': body.length };
      response.writeHead(bare.status ?? 200, { ...length, ...bare.headers });
      response.end(incoming.method === 'HEAD' ? undefined : body);
      return true;
    }
    if (fault === 'silent end') {
      await firstBytes(incoming);
      incoming.socket.end();
      return true;
    }
    const status = STATUSES[fault];
    if (status === undefined) return false;
    await firstBytes(incoming);
    answer(response, ...status, fault === '429' ? { 'retry-after': '1' } : {});
    return true;
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    injected: () => injected,
    requests: () => requests,
    kinds: () => kinds,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function kindsOf(incoming: IncomingMessage, url: URL): readonly (Kind | undefined)[] {
  return [kindOf(incoming, url), fineKindOf(incoming, url)];
}

function fineKindOf({ method, headers }: IncomingMessage, { pathname, searchParams }: URL): Kind | undefined {
  if (pathname === '/v2/') return 'say hello';
  if (pathname.includes('/manifests/')) {
    if (method === 'HEAD') return 'ask for a manifest';
    return method === 'PUT' && pathname.includes(':') ? 'push by digest' : undefined;
  }
  if (!pathname.includes('/blobs/uploads/')) return undefined;
  if (method === 'POST' && searchParams.has('mount')) return 'mount a blob';
  if (method === 'GET') return 'ask how an upload stands';
  return method === 'PATCH' || headers['content-range'] !== undefined ? 'send a part' : undefined;
}

function kindOf({ method, headers }: IncomingMessage, { pathname }: URL): Kind | undefined {
  if (pathname === '/token') return 'log in';
  const writes = method === 'PUT' || method === 'PATCH';
  if (pathname.includes('/manifests/')) return writes ? 'push a manifest' : 'look up a manifest';
  if (pathname.includes('/blobs/uploads/')) return writes ? 'send a blob' : 'begin an upload';
  if (!pathname.includes('/blobs/')) return undefined;
  if (method === 'HEAD') return 'ask for a blob';
  return headers.range === undefined ? 'read a blob' : 'read a part';
}

function breaks(fault: Fault): boolean {
  return fault === 'reset' || fault === 'truncated' || fault === 'wrong length';
}

function named({ name }: Rule, { pathname }: URL): boolean {
  return name === undefined || name.test(pathname);
}

/** Passes a request on; a fault spoils the body of what is read or sent. */
function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  target: string,
  fault: Fault | undefined,
  read?: Buffer,
): Promise<void> {
  const url = new URL(incoming.url ?? '/', `http://${target}`);
  const { authorization: _, ...headers } = incoming.headers;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onward = request(url, { method: incoming.method ?? 'GET', headers, agent: false }, (answered) => {
    const spoil = fault === undefined || incoming.method === 'PUT' || incoming.method === 'PATCH';
    (spoil ? pass(answered, response) : spoiled(fault, answered, response)).then(resolve, reject);
  });
  onward.on('error', reject);
  if (read !== undefined) onward.end(read);
  else if (fault !== 'wrong digest' && fault !== 'truncated') incoming.pipe(onward);
  else collect(incoming).then((body) => onward.end(fault === 'wrong digest' ? flipped(body) : body), reject);
  return promise;
}

async function pass(answered: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(answered.statusCode ?? 502, answered.headers);
  answered.pipe(response);
}

async function spoiled(fault: Fault, answered: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await collect(answered);
  const { statusCode = 502, headers } = answered;
  const half = body.subarray(0, body.length >> 1);
  if (fault === 'no length') {
    const { 'content-length': _, ...others } = headers;
    response.writeHead(statusCode, { ...others, 'transfer-encoding': 'chunked' });
    if (body.length > 0) response.write(body);
    response.end();
  } else if (fault === 'length 0') {
    response.writeHead(statusCode, { ...headers, 'content-length': 0 }).end();
  } else if (fault === 'wrong digest') {
    const told = headers['docker-content-digest'] === undefined ? {} : { 'docker-content-digest': OTHER };
    response.writeHead(statusCode, { ...headers, ...told }).end(flipped(body));
  } else if (fault === 'wrong length') {
    const length = Math.max(0, Number(headers['content-length'] ?? body.length) - 1);
    response.writeHead(statusCode, { ...headers, 'content-length': length }).end(body.subarray(0, length));
  } else if (fault === 'slow') {
    response.writeHead(statusCode, headers);
    for (let at = 0, step = Math.ceil(body.length / 8) || 1; at < body.length; at += step) {
      response.write(body.subarray(at, at + step));
      // Wait: it is slow on purpose.
      await sleep(60);
    }
    response.end();
  } else {
    response.writeHead(statusCode, { ...headers, 'content-length': body.length + 1 });
    response.write(half);
    // Wait: what was written is on its way before the connection ends.
    await sleep(20);
    if (fault === 'reset') response.socket?.resetAndDestroy();
    else response.socket?.end();
  }
}

interface Bare {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const HTML = '<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>';

/** Answers that are none of a registry's. */
const BARE: Partial<Record<Fault, Bare>> = {
  '204': { status: 204 },
  HTML: { headers: { 'content-type': 'text/html' }, body: HTML },
  garbage: {
    headers: {
      'content-type': 'application/vnd.oci.image.manifest.v1+json',
      'docker-content-digest': 'sha256:nonsense',
      'content-range': 'bytes x-y/z',
      range: 'nonsense',
      location: 'http://[nonsense',
      'oci-chunk-min-length': 'many',
      'www-authenticate': 'Bearer realm="nonsense',
      link: '<http://[>; rel="next"',
    },
    body: '{"token": 5, "schemaVersion": "x", "layers": [null], "config": [], "annotations": 7}',
  },
  empty: {},
  nowhere: { status: 307, headers: { location: 'http://[nonsense' } },
};

const OTHER = `sha256:${'0'.repeat(64)}`;

function flipped(body: Buffer): Buffer {
  const other = Buffer.from(body);
  if (other.length > 0) other[other.length >> 1]! ^= 1;
  return other;
}

function answer(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: 'a fault of the test' }] }));
}

/** Waits until a part of a body has arrived, or there is none. */
async function firstBytes(incoming: IncomingMessage): Promise<void> {
  for await (const _ of incoming.iterator({ destroyOnReturn: false })) break;
  incoming.resume();
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
