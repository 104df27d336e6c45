import type { Readable } from 'node:stream';
import { AppError } from '../../core/error.ts';
import { NETWORK_LIMITS } from '../../core/network-limits.ts';
import { readAll } from '../readable.ts';
import type { HttpResponse } from './types.ts';

const MAX_BODY = 16 * 1024;
const MAX_TEXT = 300;
const TRANSIENT_STATUSES = [408, 425, 429, 500, 502, 503, 504];
const FINAL_ERRNOS = [
  ...['ENOTFOUND', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO', 'ERR_INVALID_URL'],
  // We ended it ourselves.
  ...['UND_ERR_DESTROYED', 'UND_ERR_CLOSED'],
];
const MAX_RETRY_AFTER_MS = 60_000;

/** The cause of an error that a registry answered with. */
export interface RegistryAnswer {
  readonly status: number;
  /** The first code of its error body (OCI distribution spec, "Error Codes"), as BLOB_UNKNOWN. */
  readonly code?: string;
  readonly retryAfterMs?: number;
}

/** What a registry answered, when an error is one that it answered with. */
export function answerOf(error: unknown): RegistryAnswer | undefined {
  const cause = error instanceof AppError ? error.cause : undefined;
  return isAnswer(cause) ? cause : undefined;
}

/** Whether a registry took offence at a manifest itself, so that another form of it may be taken. */
export function refusesManifest(error: unknown): boolean {
  const answer = answerOf(error);
  const denied = ['TAG_INVALID', 'MANIFEST_BLOB_UNKNOWN', 'DENIED', 'UNAUTHORIZED', 'TOOMANYREQUESTS'];
  return (
    answer !== undefined &&
    [400, 413, 415, 422].includes(answer.status) &&
    !denied.includes(answer.code ?? '')
  );
}

/** A URL without credentials, query and fragment, all of which may hold tokens. */
export function redactUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return 'a malformed URL';
  }
}

/**
 * The error for an answer that is not accepted. Reads its body, up to a bound, and for `ms` milliseconds at most.
 * @param login.from where the credential came from that was sent
 */
export async function answerError(
  what: string,
  registry: string,
  response: HttpResponse,
  { ms = NETWORK_LIMITS.leftoverMs, from }: { readonly ms?: number; readonly from?: string | undefined } = {},
): Promise<AppError> {
  const { status, headers, url } = response;
  const { code, message } = describeBody(await boundedText(response.body, ms), headers['content-type'] ?? '');
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const answer: RegistryAnswer = {
    status,
    ...(code === undefined ? {} : { code }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  const said = [code, message].filter(Boolean).join(': ');
  const text = `cannot ${what}: ${registry} answered ${status}${said === '' ? '' : ` (${said})`}`;
  const advice = hintForStatus(status, code, registry);
  const refused = advice !== undefined && (status === 401 || status === 403) && from !== undefined;
  const hint = refused ? `${advice}; the login that was refused came from ${from}` : advice;
  const kind = status === 401 || status === 403 ? 'AUTH' : status === 404 ? 'REFERENCE' : 'REGISTRY';
  return new AppError(kind, text, {
    ...(hint ? { hint } : {}),
    where: { url: redactUrl(url) },
    cause: answer,
  });
}

/** The error for a request that got no answer, or whose answer broke off. An AppError stays what it is. */
export function networkError(what: string, registry: string, url: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const { reason, code } = deepest(thrown);
  const hint = hintForErrno(code, registry);
  return new AppError('REGISTRY', `cannot ${what}: ${reason}`, {
    ...(hint ? { hint } : {}),
    where: { url: redactUrl(url) },
    cause: thrown,
  });
}

/**
 * How long to wait before the same request may succeed, or undefined when it will not.
 * @param suggestedMs the delay when the registry asks for none
 */
export function transientDelay(error: unknown, suggestedMs: number): number | undefined {
  if (!(error instanceof AppError) || error.code !== 'REGISTRY') return undefined;
  const answer = answerOf(error);
  if (answer === undefined)
    return FINAL_ERRNOS.includes(deepest(error.cause).code) || isCertificate(error) ? undefined : suggestedMs;
  if (!TRANSIENT_STATUSES.includes(answer.status)) return undefined;
  const asked = answer.retryAfterMs ?? 0;
  return asked > MAX_RETRY_AFTER_MS ? undefined : Math.max(asked, suggestedMs);
}

/** Milliseconds that a Retry-After header asks for: seconds, or a date (RFC 9110, section 10.2.3). */
function parseRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function isAnswer(cause: unknown): cause is RegistryAnswer {
  return typeof (cause as RegistryAnswer | undefined)?.status === 'number' && !(cause instanceof Error);
}

async function boundedText(body: Readable, ms: number): Promise<string> {
  const tooLong = () => new RangeError('too long');
  return readAll(body, MAX_BODY, tooLong, ms).then(
    (bytes) => bytes.toString('utf8'),
    () => '',
  );
}

function describeBody(text: string, contentType: string): { code?: string; message?: string } {
  try {
    const first = (JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] }).errors?.[0];
    const { code, message } = first ?? {};
    return {
      ...(typeof code === 'string' ? { code: clean(code) } : {}),
      ...(typeof message === 'string' ? { message: clean(message) } : {}),
    };
  } catch {
    return contentType.startsWith('text/plain') ? { message: clean(text.split('\n', 1)[0] ?? '') } : {};
  }
}

function clean(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MAX_TEXT);
}

function deepest(thrown: unknown): { reason: string; code: string } {
  let at = thrown;
  while (at instanceof AggregateError && at.errors.length > 0) at = at.errors[0];
  const error = at as NodeJS.ErrnoException | undefined;
  if (error?.cause instanceof Error) return deepest(error.cause);
  return { reason: clean(error?.message || String(thrown)), code: error?.code ?? '' };
}

function isCertificate(error: AppError): boolean {
  return /CERT|SIGNATURE|ISSUER|SSL/.test(deepest(error.cause).code);
}

function hintForStatus(status: number, code: string | undefined, registry: string): string | undefined {
  if (status === 401) return `log in to ${registry}: the image may be private, or not exist`;
  if (status === 403 || code === 'DENIED')
    return `the credentials for ${registry} do not allow this, or its quota is used up`;
  if (status === 404) return 'check the name of the repository, the tag and the digest';
  if (status === 429) return `log in to ${registry} for a higher limit, or try again later`;
  if (status === 407) return 'check the credentials in the proxy settings';
  if (status === 507) return `the storage of ${registry} is full: free some, or ask whoever runs it`;
  if (status === 413) return 'raise the limit for request bodies of the registry or of the proxy before it';
  return status >= 500 ? 'the registry has a problem of its own: try again later' : undefined;
}

function hintForErrno(code: string, registry: string): string | undefined {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `check the host name "${registry}" and the name servers`;
  if (code === 'ECONNREFUSED')
    return `check that a registry listens at ${registry}, and whether a proxy is needed`;
  if (['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'].includes(code)) {
    return 'the registry seems to speak plain HTTP: allow it with --insecure-registry';
  }
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return 'give the certificate authority of the registry, or skip the check with --insecure-registry';
  }
  return code === 'UND_ERR_ABORTED'
    ? 'the proxy refused the connection: check the proxy settings'
    : undefined;
}
