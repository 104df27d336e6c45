import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Dispatcher, getGlobalDispatcher, interceptors, request } from 'undici';
import { type Digest, isDigest } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { basicAuthOf } from '../core/url-credentials.ts';

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

const MOST_REDIRECTS = 10;

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
    readonly dispatcher?: Dispatcher;
    readonly signal?: AbortSignal;
  },
): Promise<Fetched> {
  const shown = withoutCredentials(url);
  const { checksum, signal } = options;
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
    const response = await ask(url, 'GET', options);
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new AppError('CONTEXT', `${shown} answered ${response.statusCode}`, { where: { url: shown } });
    }
    const target = createWriteStream(file, { mode: 0o600 });
    await pipeline(response.body as Readable, counted, target, { signal });
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
    throw toAppError(error, 'CONTEXT', `cannot download ${shown}`, { where: { url: shown } });
  }
}

/** The headers of a download without the download; undefined when the server does not give them. */
export async function headUrl(url: string, signal?: AbortSignal): Promise<UrlHead | undefined> {
  try {
    const response = await ask(url, 'HEAD', { signal });
    await response.body.dump();
    return response.statusCode === 200 ? headOf(url, response.headers) : undefined;
  } catch {
    // Whoever downloads it then says what is wrong.
    return undefined;
  }
}

function ask(
  url: string,
  method: 'GET' | 'HEAD',
  {
    dispatcher: given,
    signal,
  }: { readonly dispatcher?: Dispatcher | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Dispatcher.ResponseData> {
  const dispatcher = (given ?? getGlobalDispatcher()).compose(
    interceptors.redirect({ maxRedirections: MOST_REDIRECTS }),
  );
  const authorization = basicAuthOf(new URL(url));
  return request(url, {
    method,
    dispatcher,
    ...(signal === undefined ? {} : { signal }),
    ...(authorization ? { headers: { authorization } } : {}),
  });
}

function headOf(url: string, headers: Dispatcher.ResponseData['headers']): UrlHead {
  const modified = Date.parse(String(headers['last-modified'] ?? ''));
  const etag = String(headers.etag ?? '');
  return {
    name: urlFileName(url, String(headers['content-disposition'] ?? '')),
    ...(Number.isNaN(modified) ? {} : { lastModified: Math.floor(modified / 1000) }),
    ...(/^"[^"]+"$/.test(etag) ? { etag } : {}),
  };
}

/** The name of a download: its Content-Disposition's, else the last part of the URL's path. */
function urlFileName(url: string, disposition = ''): string {
  const named = /filename\*?=(?:UTF-8'')?"?([^";]+)"?/i.exec(disposition)?.[1];
  const name = basename(decode(named ?? new URL(url).pathname));
  return name === '' || name === '.' || name === '..' ? 'download' : name;
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
