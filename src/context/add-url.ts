import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Digest, isDigest } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { paced } from '../core/network-limits.ts';
import { basicAuthOf } from '../core/url-credentials.ts';
import { discard, follow } from '../oci/http/redirect.ts';
import type { HttpRequest, HttpResponse } from '../oci/http/types.ts';
import { type SourceAccess, urlAuthorization } from './source-access.ts';

/** What the headers of an answer say of a download. */
export interface UrlHead {
  /** What ADD calls the file when its destination is a directory. */
  readonly name: string;
  /** Seconds since the epoch. */
  readonly lastModified?: number;
  /** A strong entity tag; a weak one does not promise the same bytes (RFC 9110, section 8.8.1). */
  readonly etag?: string;
}

export interface Fetched extends UrlHead {
  readonly digest: Digest;
  readonly size: number;
  readonly file: string;
}

/**
 * Downloads a URL of ADD into a directory.
 * @param options.checksum as of ADD --checksum
 * @throws AppError CONTEXT when it cannot be read, CORRUPT when it does not match the checksum; the reason of the signal; no
 * file is left then
 */
export async function fetchUrl(
  url: string,
  options: {
    readonly targetDir: string;
    readonly checksum?: string;
    readonly access: SourceAccess;
    readonly signal?: AbortSignal;
  },
): Promise<Fetched> {
  const shown = withoutCredentials(url);
  const { checksum, access, signal } = options;
  if (checksum !== undefined && !isDigest(checksum)) {
    throw new AppError('DOCKERFILE', `ADD --checksum has the malformed digest "${checksum}"`, {
      hint: 'write sha256: and 64 hex digits',
    });
  }
  const file = join(options.targetDir, 'download');
  const hash = createHash('sha256');
  let size = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  try {
    const response = await ask(url, 'GET', access, signal);
    if (response.status !== 200) {
      discard(response.body);
      throw refusal(shown, response.status);
    }
    const target = createWriteStream(file, { mode: 0o600 });
    await pipeline(paced(response.body, access.limits), counted, target, { signal });
    const digest: Digest = `sha256:${hash.digest('hex')}`;
    if (checksum !== undefined && checksum !== digest) {
      throw new AppError('CORRUPT', `${shown} has the digest ${digest}, not ${checksum}`, {
        where: { url: shown },
      });
    }
    return { ...headOf(url, response.headers), digest, size, file };
  } catch (error) {
    await rm(file, { force: true });
    signal?.throwIfAborted();
    if (error instanceof AppError && error.code === 'REGISTRY')
      throw new AppError('CONTEXT', error.message, { where: { url: shown }, cause: error });
    throw toAppError(error, 'CONTEXT', `cannot download ${shown}`, { where: { url: shown } });
  }
}

/** The headers of a download without the download; undefined when the server does not give them. */
export async function headUrl(
  url: string,
  access: SourceAccess,
  signal?: AbortSignal,
): Promise<UrlHead | undefined> {
  try {
    const response = await ask(url, 'HEAD', access, signal);
    discard(response.body);
    return response.status === 200 ? headOf(url, response.headers) : undefined;
  } catch {
    // Whoever downloads it then says what is wrong.
    return undefined;
  }
}

/** The secret that the build was given for the host, else the login of the address; neither goes to another origin. */
async function ask(
  url: string,
  method: 'GET' | 'HEAD',
  access: SourceAccess,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const authorization = (await urlAuthorization(url, access)) ?? basicAuthOf(new URL(url));
  const request: HttpRequest = {
    method,
    url,
    headers: authorization === undefined ? {} : { authorization },
    carries: method === 'GET' ? 'content' : 'document',
    ...(signal === undefined ? {} : { signal }),
  };
  // A download may redirect to plain HTTP, as its address may be one.
  return follow(access.transport(), request, true);
}

function refusal(shown: string, status: number): AppError {
  return new AppError('CONTEXT', `${shown} answered ${status}`, {
    where: { url: shown },
    ...([401, 403, 404].includes(status)
      ? { hint: 'for a private file give the build the secret HTTP_AUTH_TOKEN_HOST or HTTP_AUTH_HEADER_HOST' }
      : {}),
  });
}

function headOf(url: string, headers: HttpResponse['headers']): UrlHead {
  const modified = Date.parse(String(headers['last-modified'] ?? ''));
  const etag = String(headers.etag ?? '');
  return {
    name: urlFileName(url),
    ...(Number.isNaN(modified) ? {} : { lastModified: Math.floor(modified / 1000) }),
    ...(/^"[^"]+"$/.test(etag) ? { etag } : {}),
  };
}

/** The name of a download: the last part of the URL's path, whatever the server says; BuildKit's own where there is none. */
function urlFileName(url: string): string {
  const name = basename(decode(new URL(url).pathname));
  return ['', '.', '..'].includes(name) ? '__unnamed__' : name;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutCredentials(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.username = '';
    parsed.password = '';
    parsed.search = '';
    return parsed.href;
  } catch {
    return url.replace(/\/\/[^@/]*@/, '//');
  }
}
