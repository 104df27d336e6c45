import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Plot } from '../plot.ts';
import type { Kind, Must } from '../types.ts';

/** A registry that means ill. */
export interface ReplyInput {
  /** How it answers: `true` when it has answered. */
  readonly answer: (plot: Plot) => (request: IncomingMessage, response: ServerResponse) => boolean;
  /** A run may wait for it as long as the limits of time allow. */
  readonly keepsWaiting: boolean;
}

type Handler = (request: IncomingMessage, response: ServerResponse, plot: Plot) => void;

/** All requests for one sort of thing are answered so. */
function on(what: 'manifests' | 'blobs', name: string, must: Must, handler: Handler): Kind<ReplyInput> {
  return {
    name: `${what}-${name}`,
    must,
    make: () => ({
      keepsWaiting: must !== 'build',
      answer: (plot) => (request, response) => {
        if (!request.url?.includes(`/${what}/`)) return false;
        handler(request, response, plot);
        return true;
      },
    }),
  };
}

/** The registry asks for a token with this challenge; `token` answers at `/token/NAME` of the same server. */
function token(
  name: string,
  must: Must,
  handler: Handler,
  challenge: (realm: string) => string = (realm) =>
    `Bearer realm="${realm}",service="s",scope="repository:x:pull"`,
): Kind<ReplyInput> {
  return {
    name: `token-${name}`,
    must,
    make: () => ({
      keepsWaiting: must !== 'build',
      answer: (plot) => {
        const path = `/token/${plot.repository.name}`;
        plot.registry.outside.set(path, (request, response) => handler(request, response, plot));
        return (request, response) => {
          if (request.headers.authorization?.startsWith('Bearer good')) return false;
          response
            .writeHead(401, { 'www-authenticate': challenge(`http://${plot.registry.host}${path}`) })
            .end('{}');
          return true;
        };
      },
    }),
  };
}

const text =
  (status: number, body: string | (() => Buffer), headers: Readonly<Record<string, string>> = {}): Handler =>
  (_, response) =>
    void response.writeHead(status, headers).end(typeof body === 'function' ? body() : body);
const good: Handler = text(200, '{"token":"good"}');

/** Writes without end, as fast as it is read. */
const endless =
  (first: string, part: string): Handler =>
  ({ method }, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    // Node takes the body of such an answer, drops it, and never says that it is enough.
    if (method === 'HEAD') return void response.end();
    response.write(first);
    const chunk = Buffer.from(part.repeat(Math.ceil(65_536 / part.length)));
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
  };

/** One byte every 200 ms: no timeout between two of them ever strikes. */
const drip =
  (body: string): Handler =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000_000 });
    let at = 0;
    const timer = setInterval(() => response.write(body[at++ % body.length]!), 200);
    response.on('close', () => clearInterval(timer));
  };
const silent: Handler = () => {};

/** What an honest registry answers a request for a document or a blob with. */
function honest({ url = '' }: IncomingMessage, { repository }: Plot): Buffer {
  const name = url.split('/').at(-1)!;
  return repository.blobs.get(name) ?? repository.documents.get(name)?.bytes ?? Buffer.alloc(0);
}

/** Head and body as they are, without Node's opinion of them; then the connection ends, unless it is `kept`. */
const bare =
  (
    lines: (size: number) => readonly string[],
    { body, status = '200 OK', kept = false }: Bare = {},
  ): Handler =>
  (request, _, plot) => {
    const all = honest(request, plot);
    const given = request.method === 'HEAD' ? '' : (body ?? all);
    const type = plot.repository.documents.get(request.url!.split('/').at(-1)!)?.type;
    const head = [
      `HTTP/1.1 ${status}`,
      `Content-Type: ${type ?? 'application/octet-stream'}`,
      ...lines(all.length),
    ];
    const { socket } = request;
    socket.on('error', () => {});
    socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(given)]));
    if (!kept) socket.end();
  };

interface Bare {
  /** The honest one when left out. */
  readonly body?: string;
  readonly status?: string;
  readonly kept?: boolean;
}

const TEN_TIB = 10 * 2 ** 40;

/** Lengths of a body, none of which is its length. */
const LENGTHS: readonly (readonly [name: string, must: Must, handler: Handler])[] = [
  ['length-2-63', 'refuse', bare(() => ['Content-Length: 9223372036854775808'], { body: 'x' })],
  ['length-2-64', 'refuse', bare(() => ['Content-Length: 18446744073709551616'], { body: 'x' })],
  ['length-400-digits', 'refuse', bare(() => [`Content-Length: ${'9'.repeat(400)}`], { body: 'x' })],
  ['length-10-tib', 'refuse', bare(() => [`Content-Length: ${TEN_TIB}`], { body: 'x' })],
  // Whoever has all that the digest asks for may do without the rest.
  ['length-10-tib-whole', 'either', bare(() => [`Content-Length: ${TEN_TIB}`])],
  ['length-10-tib-silent', 'refuse', bare(() => [`Content-Length: ${TEN_TIB}`], { body: 'x', kept: true })],
  ['length-negative', 'refuse', bare(() => ['Content-Length: -1'])],
  ['length-text', 'refuse', bare(() => ['Content-Length: all of it'])],
  ['length-fraction', 'refuse', bare(() => ['Content-Length: 1.5'])],
  ['length-exponent', 'refuse', bare(() => ['Content-Length: 1e3'])],
  ['length-empty', 'either', bare(() => ['Content-Length:'])],
  ['length-none', 'either', bare(() => [])],
  ['length-several', 'refuse', bare((size) => [`Content-Length: ${size}`, 'Content-Length: 3'])],
  ['length-several-same', 'either', bare((size) => [`Content-Length: ${size}`, `Content-Length: ${size}`])],
  ['length-list', 'either', bare((size) => [`Content-Length: ${size}, ${size}`])],
  ['length-less', 'refuse', bare((size) => [`Content-Length: ${size - 1}`])],
  ['length-zero', 'refuse', bare(() => ['Content-Length: 0'])],
  ['length-more', 'either', bare((size) => [`Content-Length: ${size + 1}`])],
  [
    'length-and-chunked',
    'refuse',
    bare(() => [`Content-Length: ${TEN_TIB}`, 'Transfer-Encoding: chunked'], { body: '1\r\nx\r\n0\r\n\r\n' }),
  ],
  [
    'length-chunk-huge',
    'refuse',
    bare(() => ['Transfer-Encoding: chunked'], { body: 'fffffffffffffff\r\nx' }),
  ],
  [
    'length-chunk-beyond',
    'refuse',
    bare(() => ['Transfer-Encoding: chunked'], { body: `${'f'.repeat(300)}\r\nx` }),
  ],
  ['length-chunk-text', 'refuse', bare(() => ['Transfer-Encoding: chunked'], { body: 'all of it\r\nx' })],
];

const partly = (range: (size: number) => readonly string[], body?: string): Handler =>
  bare(
    (size) => [
      `Content-Length: ${body?.length ?? size}`,
      ...range(size).map((one) => `Content-Range: ${one}`),
    ],
    {
      status: '206 Partial Content',
      ...(body === undefined ? {} : { body }),
    },
  );

/** Ranges of parts that are something else; those with the whole body may be believed for what its digest says. */
const RANGES: readonly (readonly [name: string, must: Must, handler: Handler])[] = [
  ['range-lies', 'refuse', partly(() => ['bytes 5-7/900000'], 'abc')],
  ['range-start-2-63', 'refuse', partly(() => ['bytes 9223372036854775808-9223372036854775810/1'], 'abc')],
  ['range-total-2-63', 'refuse', partly(() => ['bytes 0-2/9223372036854775808'], 'abc')],
  ['range-total-2-63-whole', 'either', partly((size) => [`bytes 0-${size - 1}/9223372036854775808`])],
  ['range-total-400-digits', 'refuse', partly(() => [`bytes 0-2/${'9'.repeat(400)}`], 'abc')],
  ['range-total-10-tib', 'refuse', partly(() => [`bytes 0-2/${TEN_TIB}`], 'abc')],
  ['range-total-10-tib-whole', 'either', partly((size) => [`bytes 0-${size - 1}/${TEN_TIB}`])],
  ['range-total-less', 'either', partly(() => ['bytes 0-0/1'])],
  ['range-total-zero', 'either', partly(() => ['bytes 0-0/0'])],
  ['range-total-unknown', 'either', partly((size) => [`bytes 0-${size - 1}/*`])],
  ['range-negative', 'either', partly(() => ['bytes -5--1/-10'])],
  ['range-text', 'either', partly(() => ['bytes some-more/all'])],
  ['range-several', 'either', partly((size) => [`bytes 0-${size - 1}/${size}`, `bytes 5-7/${TEN_TIB}`])],
  ['range-none', 'either', partly(() => [])],
  ['range-backwards', 'refuse', partly(() => ['bytes 7-5/3'], 'abc')],
  ['range-unit', 'either', partly((size) => [`acres 0-${size - 1}/${size}`])],
];

/** HEAD answers so, GET as it should. */
const onlyHead =
  (lines: readonly string[]): Handler =>
  (request, response, plot) => {
    const body = honest(request, plot);
    if (request.method === 'HEAD') return bare(() => lines)(request, response, plot);
    return bare(() => [`Content-Length: ${body.length}`])(request, response, plot);
  };

/** What HEAD says of what GET gives as it is. */
const HEADS: readonly (readonly [name: string, must: Must, handler: Handler])[] = [
  ['length-head-2-63', 'either', onlyHead(['Content-Length: 9223372036854775808'])],
  ['length-head-10-tib', 'either', onlyHead([`Content-Length: ${TEN_TIB}`])],
  ['length-head-negative', 'either', onlyHead(['Content-Length: -1'])],
  ['length-head-zero', 'either', onlyHead(['Content-Length: 0'])],
];

const lengths = (what: 'manifests' | 'blobs', kinds: typeof LENGTHS): readonly Kind<ReplyInput>[] =>
  kinds.map(([name, must, handler]) => on(what, name, must, handler));

/** Answers of registries and token servers. */
export const replies: readonly Kind<ReplyInput>[] = [
  token('honest', 'build', good),
  token('access-token', 'build', text(200, '{"access_token":"good"}')),
  token('empty', 'refuse', text(200, '')),
  token('null', 'refuse', text(200, 'null')),
  token('text', 'refuse', text(200, 'nonsense')),
  token('list', 'refuse', text(200, '["good"]')),
  token('number', 'refuse', text(200, '{"token":5}')),
  token('none', 'refuse', text(200, '{}')),
  token('wrong', 'refuse', text(200, '{"token":"bad"}')),
  token('newline', 'refuse', text(200, JSON.stringify({ token: 'good\r\nX-Evil: 1' }))),
  token('nul', 'refuse', text(200, JSON.stringify({ token: 'a\0b' }))),
  token('unicode', 'refuse', text(200, JSON.stringify({ token: '\u{1f426}' }))),
  token('5-mb', 'refuse', text(200, JSON.stringify({ token: 'x'.repeat(5_000_000) }))),
  token(
    '100-mb',
    'refuse',
    text(200, () => Buffer.alloc(100_000_000, 'x')),
  ),
  token('endless', 'refuse', endless('{"token":"', 'x')),
  token('deep', 'refuse', text(200, '['.repeat(500_000))),
  token('expires-bad', 'either', text(200, '{"token":"good","expires_in":"soon","issued_at":"never"}')),
  token('expires-negative', 'either', text(200, '{"token":"good","expires_in":-1e300}')),
  token('proto', 'either', text(200, '{"__proto__":{"x":1},"token":"good"}')),
  token('status-500', 'refuse', text(500, '{"errors":5}')),
  token('status-401', 'refuse', text(401, 'no')),
  token(
    'redirect-loop',
    'refuse',
    (request, response) => void response.writeHead(302, { location: request.url }).end(),
  ),
  token('redirect-file', 'refuse', text(302, '', { location: 'file:///etc/shadow' })),
  token(
    'gzip-bomb',
    'refuse',
    text(200, () => gzipSync(Buffer.alloc(200_000_000, 'x'), { level: 1 }), { 'content-encoding': 'gzip' }),
  ),
  token('drips', 'refuse', drip('{"token":"')),
  token('silent', 'refuse', silent),
  token('challenge-basic', 'refuse', good, () => 'Basic realm="x"'),
  token('challenge-none', 'refuse', good, () => ''),
  token('challenge-garbage', 'refuse', good, () => 'Bearer ===,,,"'),
  token('challenge-unended', 'refuse', good, () => 'Bearer realm="http://127.0.0.1'),
  token('challenge-no-realm', 'refuse', good, () => 'Bearer service="s"'),
  token('challenge-realm-file', 'refuse', good, () => 'Bearer realm="file:///etc/shadow"'),
  token('challenge-realm-text', 'refuse', good, () => 'Bearer realm="no url"'),
  token('challenge-long', 'either', good, (realm) => `Bearer realm="${realm}",scope="${'x'.repeat(10_000)}"`),
  token(
    'challenge-many',
    'either',
    good,
    (realm) => `${Array.from({ length: 300 }, (_, i) => `S${i} a="b"`).join(', ')}, Bearer realm="${realm}"`,
  ),
  token('challenge-backslashes', 'refuse', good, () => `Bearer realm="${'\\'.repeat(8000)}`),
  on('manifests', 'status-500', 'refuse', text(500, 'x')),
  on('manifests', 'status-429', 'refuse', text(429, '{}', { 'retry-after': '999999999' })),
  on(
    'manifests',
    'status-503-after-date',
    'refuse',
    text(503, '{}', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }),
  ),
  on('manifests', 'status-204', 'refuse', text(204, '')),
  on('manifests', 'status-304', 'refuse', text(304, '')),
  on('manifests', 'status-418', 'refuse', text(418, '{"errors":[{"code":5,"message":{"a":1}}]}')),
  on(
    'manifests',
    'errors-100-mb',
    'refuse',
    text(404, () => Buffer.alloc(100_000_000, 'x')),
  ),
  on(
    'manifests',
    'errors-control',
    'refuse',
    text(400, JSON.stringify({ errors: [{ code: 'X', message: '\x1b[2J\x07evil\r\n' }] })),
  ),
  on('manifests', 'endless', 'refuse', endless('{"schemaVersion":2,"x":"', 'x')),
  on('manifests', 'endless-errors', 'refuse', (request, response) => {
    response.statusCode = 500;
    endless('{"errors":"', 'x')(request, response, undefined as never);
  }),
  on(
    'manifests',
    'redirect-self',
    'refuse',
    (request, response) => void response.writeHead(307, { location: request.url }).end(),
  ),
  on('manifests', 'redirect-file', 'refuse', text(307, '', { location: 'file:///etc/shadow' })),
  on('manifests', 'redirect-garbage', 'refuse', text(307, '', { location: 'http://[' })),
  on('manifests', 'cut', 'refuse', (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
    response.write('{');
    // Wait: what was written is on its way before the connection ends.
    setTimeout(() => response.destroy(), 50);
  }),
  on('manifests', 'no-http', 'refuse', (request) => void request.socket.end('this is no HTTP\n\n')),
  on('manifests', 'hangs-up', 'refuse', (request) => void request.socket.destroy()),
  on('manifests', 'headers-endless', 'refuse', (request) => {
    const { socket } = request;
    socket.write('HTTP/1.1 200 OK\r\n');
    const more = (): void => {
      while (!socket.destroyed && socket.write(`X-A: ${'y'.repeat(8000)}\r\n`));
    };
    socket.on('drain', more).on('error', () => {});
    more();
  }),
  on('manifests', 'drips', 'refuse', drip('{"schemaVersion":2, ')),
  on('manifests', 'silent', 'refuse', silent),
  on('blobs', 'status-500', 'refuse', text(500, 'x')),
  on('blobs', 'status-404', 'refuse', text(404, '{}')),
  on('blobs', 'empty', 'refuse', text(200, '')),
  on('blobs', 'other', 'refuse', text(200, 'something else altogether')),
  on('blobs', 'endless', 'refuse', endless('x', 'x')),
  on('blobs', 'endless-zeros', 'refuse', endless('\0', '\0')),
  on(
    'blobs',
    'redirect-loop',
    'refuse',
    (request, response) => void response.writeHead(307, { location: `${request.url}?` }).end(),
  ),
  on('blobs', 'redirect-file', 'refuse', text(307, '', { location: 'file:///etc/shadow' })),
  ...lengths('manifests', [...LENGTHS, ...HEADS]),
  ...lengths('blobs', [...LENGTHS, ...RANGES, ...HEADS]),
  on('blobs', 'drips', 'refuse', drip('x')),
  on('blobs', 'silent', 'refuse', silent),
];
