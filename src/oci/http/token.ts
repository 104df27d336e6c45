import { AppError } from '../../core/error.ts';
import { LIMITS } from '../../core/limits.ts';
import { readAll } from '../readable.ts';
import type { Challenge } from './challenge.ts';
import { answerError, networkError } from './errors.ts';
import type { Transport } from './transport.ts';
import type { Credential } from './types.ts';

/** A bearer token, and until when it may be used (milliseconds since the epoch, our clock). */
export interface Token {
  readonly value: string;
  readonly expires: number;
}

export interface TokenRequest {
  readonly registry: string;
  /** The registry's own base URL. */
  readonly base: string;
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
  readonly insecure: boolean;
}

const MAX_TOKEN = LIMITS.token.most;
const DEFAULT_LIFE_S = 60;

/**
 * Asks a token server for a bearer token (Distribution, "Token Authentication Specification"): GET with basic
 * authorisation or anonymously, or an OAuth2 refresh when the credential is an identity token.
 * @throws AppError AUTH when it refuses; REGISTRY when it cannot be reached
 */
export async function fetchToken(transport: Transport, request: TokenRequest): Promise<Token> {
  const { registry, credential } = request;
  const url = realmUrl(request);
  const what = `log in to ${registry}`;
  const start = Date.now();
  try {
    const response = await transport.send(
      credential !== undefined && 'identityToken' in credential
        ? refreshRequest(url, request, credential.identityToken)
        : passwordRequest(url, request, credential),
    );
    if (response.status !== 200) throw refused(await answerError(what, url.host, response), request);
    const bytes = await readAll(response.body, MAX_TOKEN, () => new Error('the token is too long'));
    return readToken(bytes, start, registry);
  } catch (error) {
    throw networkError(what, url.host, url.href, error);
  }
}

/** The value of an Authorization header for a user and password (RFC 7617). */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function passwordRequest(url: URL, { challenge, scopes }: TokenRequest, credential: Credential | undefined) {
  const asked = new URL(url);
  if (challenge.params.service !== undefined) asked.searchParams.set('service', challenge.params.service);
  for (const scope of scopes) asked.searchParams.append('scope', scope);
  const named = credential !== undefined && 'username' in credential ? credential : undefined;
  if (named !== undefined) asked.searchParams.set('account', named.username);
  return {
    method: 'GET' as const,
    url: asked.href,
    headers: named === undefined ? {} : { authorization: basicHeader(named.username, named.password) },
  };
}

function refreshRequest(url: URL, { challenge, scopes }: TokenRequest, identityToken: string) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service: challenge.params.service ?? '',
    client_id: 'envbuilder',
    scope: scopes.join(' '),
    refresh_token: identityToken,
  });
  return {
    method: 'POST' as const,
    url: url.href,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: () => form.toString(),
  };
}

function realmUrl({ registry, base, challenge, credential, insecure }: TokenRequest): URL {
  const realm = challenge.params.realm ?? '';
  if (!URL.canParse(realm)) throw new AppError('AUTH', `${registry} names no valid token server`);
  const url = new URL(realm);
  const clear = url.protocol !== 'https:';
  if (
    clear &&
    (url.protocol !== 'http:' || (credential !== undefined && base.startsWith('https:') && !insecure))
  ) {
    throw new AppError('AUTH', `${registry} asks to send its credentials unencrypted to ${url.host}`, {
      hint: 'fix the realm in the configuration of the registry',
    });
  }
  return url;
}

function refused(error: AppError, { registry, credential }: TokenRequest): AppError {
  const status = (error.cause as { status: number }).status;
  if (status < 400 || status >= 500 || status === 408 || status === 429) return error;
  const hint =
    credential === undefined
      ? `log in to ${registry}`
      : `check the user name and password or token for ${registry}${credential.from === undefined ? '' : `, from ${credential.from}`}`;
  return new AppError('AUTH', error.message, {
    hint,
    ...(error.where ? { where: error.where } : {}),
    // Not the answer itself: that a token server knows no such page says nothing about an image.
    cause: error,
  });
}

function readToken(bytes: Buffer, start: number, registry: string): Token {
  let answer: Record<string, unknown> = {};
  try {
    answer = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
  } catch {
    // Told below, without the text: it may be a token.
  }
  const value = answer?.token ?? answer?.access_token;
  if (typeof value !== 'string' || value === '') {
    throw new AppError('AUTH', `the token server of ${registry} answered without a token`);
  }
  const life =
    typeof answer.expires_in === 'number' && answer.expires_in > 0 ? answer.expires_in : DEFAULT_LIFE_S;
  // A tenth is kept as margin for the way to the registry.
  return { value, expires: start + life * 900 };
}
