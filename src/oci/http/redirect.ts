import type { Readable } from 'node:stream';
import { AppError } from '../../core/error.ts';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import { redactUrl } from './errors.ts';
import type { Transport } from './transport.ts';
import type { HttpRequest, HttpResponse } from './types.ts';

const MAX_REDIRECTS = 8;
/** Bytes of a body that are cheaper to read than a new connection is. */
const MAX_LEFTOVER = 256 * 1024;

/**
 * Sends a request and follows redirects, as registries use them to hand out blobs from object storage. The Authorization
 * header goes to the first host alone, since a signed URL is refused with one, and nobody else may see it.
 * @throws AppError REGISTRY for a redirect from HTTPS to plain HTTP, or too many of them
 */
export async function follow(
  transport: Transport,
  request: HttpRequest,
  insecure: boolean,
): Promise<HttpResponse> {
  let current = { ...request, since: request.since ?? performance.now() };
  for (let hops = 0; ; hops += 1) {
    const response = await transport.send(current);
    const target = redirectTarget(response, current);
    if (target === undefined) return response;
    discard(response.body);
    const from = new URL(current.url);
    const to = new URL(target);
    if (hops === MAX_REDIRECTS || (from.protocol === 'https:' && to.protocol !== 'https:' && !insecure)) {
      const why = hops === MAX_REDIRECTS ? 'redirects too often' : 'redirects to unencrypted HTTP';
      throw new AppError('REGISTRY', `${from.host} ${why}`, { where: { url: redactUrl(target) } });
    }
    const { authorization, ...others } = current.headers ?? {};
    const keep = authorization !== undefined && to.origin === from.origin;
    current = { ...current, url: target, headers: keep ? { ...others, authorization } : others };
  }
}

/**
 * A `Location` that a registry gave, as an absolute URL. One that differs from the registry only in being plain HTTP comes
 * from a proxy that ends TLS before the registry, and is corrected.
 * @throws AppError REGISTRY when it is no address
 */
export function resolveLocation(location: string, base: string): string {
  if (!URL.canParse(location, base)) {
    throw new AppError('REGISTRY', `${new URL(base).host} gave a malformed location`, {
      where: { url: redactUrl(base) },
    });
  }
  const url = new URL(location, base);
  const own = new URL(base);
  if (
    own.protocol === 'https:' &&
    url.protocol === 'http:' &&
    url.hostname === own.hostname &&
    url.port === own.port
  ) {
    url.protocol = 'https:';
  }
  return url.href;
}

/**
 * Reads a body to its end for nobody, so that its connection can be used again. One that is long or slow costs its
 * connection instead.
 */
export function discard(body: Readable): void {
  let left = MAX_LEFTOVER;
  const late = setTimeout(() => body.destroy(), NETWORK_LIMITS.leftoverMs).unref();
  body.once('close', () => clearTimeout(late));
  body.on('error', () => {});
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) body.destroy();
  });
}

function redirectTarget({ status, headers }: HttpResponse, { method, url }: HttpRequest): string | undefined {
  const { location } = headers;
  if (location === undefined || !URL.canParse(location, url)) return undefined;
  const reads = method === 'GET' || method === 'HEAD';
  const redirects = reads ? [301, 302, 303, 307, 308] : [307, 308];
  return redirects.includes(status) ? new URL(location, url).href : undefined;
}
