import { untilAborted } from '../../core/concurrency.ts';
import { AppError } from '../../core/error.ts';
import { type Emit, silent } from '../../core/events.ts';
import { isTooSlow, NETWORK_LIMITS } from '../../core/network-limits.ts';
import { DEFAULT_RETRY, type RetryPolicy, retry } from '../../core/retry.ts';
import { DOCKER_HUB } from '../reference.ts';
import { type Authenticator, createAuthenticator } from './auth.ts';
import { answerError, networkError, transientDelay } from './errors.ts';
import { CONDITION_HEADER } from './manifests.ts';
import { isLoopback } from './proxy.ts';
import { discard, follow, resolveLocation } from './redirect.ts';
import { createTransport, type Transport, type TransportOptions } from './transport.ts';
import type { CredentialSource, HttpResponse, RegistryClient, RegistryRequest } from './types.ts';

export interface ClientOptions extends TransportOptions {
  /** Anonymous when left out. */
  readonly credentials?: CredentialSource;
  readonly emit?: Emit;
  readonly retry?: RetryPolicy;
}

/** The registry's base URL and the authorisation of its requests. */
interface Endpoint {
  readonly base: string;
  readonly auth: Authenticator;
}

const HUB_HOST = 'registry-1.docker.io';
const MAX_AUTH_ROUNDS = 3;
/** From this time on that a server is too slow, what it was too slow for is not asked again. */
const MOST_SLOW = 2;

/**
 * A client for the OCI distribution API of any number of registries. HTTPS; plain HTTP is tried as well for loopback
 * hosts, as Docker does, and for every host when `insecure`.
 */
export function createRegistryClient(options: ClientOptions = {}): RegistryClient {
  const {
    credentials = async () => undefined,
    emit = silent,
    retry: policy = DEFAULT_RETRY,
    limits = NETWORK_LIMITS,
  } = options;
  const transport = createTransport(options);
  const endpoints = new Map<string, Promise<Endpoint>>();
  // Errors of what has been tried often enough, as logins have: the request that met one is not tried again for it.
  const exhausted = new WeakSet<object>();
  // Since when a registry has given no answer at all: after the time that all tries of one request take, others try once.
  const conditional = new Set<string>();
  const silentSince = new Map<string, number>();
  const patience = policy.baseDelayMs * (2 ** (policy.attempts - 1) - 1);
  const unanswered = <T extends object>(registry: string, error: T): T => {
    const since = silentSince.get(registry);
    if (since === undefined) silentSince.set(registry, Date.now());
    else if (Date.now() - since >= patience) exhausted.add(error);
    return error;
  };

  // How often a server was too slow: each further try of that would take as long.
  const slow = new Map<string, number>();
  const isSlowAgain = (error: unknown): boolean => {
    if (!isTooSlow(error)) return false;
    const url = (error instanceof AppError && error.where?.url) || '';
    const server = URL.canParse(url) ? new URL(url).host : url;
    const times = (slow.get(server) ?? 0) + 1;
    slow.set(server, times);
    return times >= MOST_SLOW;
  };

  // What is under way when a build ends, as in an error, fails with it.
  let closed = false;
  const delayFor = (error: unknown, suggestedMs: number): number | undefined =>
    closed || exhausted.has(error as object) || isSlowAgain(error)
      ? undefined
      : transientDelay(error, suggestedMs);

  const retrying = <T>(
    what: string,
    work: () => Promise<T>,
    signal?: AbortSignal,
    attempts = policy.attempts,
  ): Promise<T> =>
    retry(
      { ...policy, attempts },
      {
        delayFor,
        onRetry: (error, attempt, delayMs) =>
          emit({ type: 'retry', what, attempt, delayMs, reason: (error as Error).message }),
        ...(signal === undefined ? {} : { signal }),
      },
      work,
    );

  const endpointOf = (registry: string): Promise<Endpoint> => {
    const known = endpoints.get(registry);
    if (known !== undefined) return known;
    const insecure = transport.isInsecure(registry);
    const made = findBase(transport, registry, insecure).then((base) => ({
      base,
      auth: createAuthenticator({ transport, registry, base, credentials, insecure, retrying }),
    }));
    endpoints.set(registry, made);
    made.catch(() => endpoints.delete(registry));
    return made;
  };

  const exchange = async (registry: string, request: RegistryRequest): Promise<HttpResponse> => {
    const { base, auth } = await endpointOf(registry).catch((error: unknown) => {
      throw unanswered(registry, error as object);
    });
    const url = resolveLocation(request.path, `${base}/v2/`);
    const ours = new URL(url).host === new URL(base).host;
    const since = Date.now();
    for (let round = 1; ; round += 1) {
      const header = ours
        ? await auth.header(request.scopes).catch((error: unknown) => {
            exhausted.add(error as object);
            throw error;
          })
        : undefined;
      const authorization = header === undefined ? {} : { authorization: header };
      let response: HttpResponse;
      try {
        request.signal?.throwIfAborted();
        response = await follow(
          transport,
          { ...request, url, headers: { ...request.headers, ...authorization } },
          transport.isInsecure(registry),
        );
      } catch (error) {
        auth.release();
        request.signal?.throwIfAborted();
        throw unanswered(registry, networkError(request.what, registry, url, error));
      }
      silentSince.delete(registry);
      if (response.headers[CONDITION_HEADER] !== undefined) conditional.add(registry);
      const { status, headers } = response;
      const answered = ours && new URL(response.url).host === new URL(base).host;
      const again =
        answered &&
        auth.learn(
          { status, challenge: headers['www-authenticate'] },
          { scopes: request.scopes, header, since },
        );
      if (!answered) auth.release();
      if (request.accept.includes(status)) return response;
      if (status !== 401 || !again || round === MAX_AUTH_ROUNDS)
        throw await answerError(request.what, registry, response, {
          ms: limits.leftoverMs,
          ...(ours ? { from: await auth.origin() } : {}),
        });
      discard(response.body);
    }
  };

  return {
    request: (registry, request) => {
      const answer = retrying(
        request.what,
        () => exchange(registry, request),
        request.signal,
        request.attempts,
      );
      return untilAborted(answer, request.signal, ({ body }) => discard(body));
    },
    knowsConditions: (registry) => conditional.has(registry),
    close: () => {
      closed = true;
      return transport.close();
    },
    emit,
    policy,
    limits,
    delayFor,
  };
}

/** What the end point of the API answers (OCI distribution spec, "Determining Support"). */
const API_ANSWERS = [200, 401];

async function findBase(transport: Transport, registry: string, insecure: boolean): Promise<string> {
  const host = registry === DOCKER_HUB ? HUB_HOST : registry;
  if (!URL.canParse(`https://${host}`))
    throw new AppError('REFERENCE', `"${registry}" is not a registry's host`);
  const [secure, plain] = [`https://${host}`, `http://${host}`];
  const isOurs = isLoopback(new URL(secure).hostname);
  if (!insecure && !isOurs) return secure;
  const answers = async (base: string): Promise<number> => {
    const { status, body } = await transport.send({ method: 'GET', url: `${base}/v2/` });
    discard(body);
    return status;
  };
  // A server that expects TLS answers 400 to plain HTTP, or nothing.
  const plainly = (): Promise<number> => answers(plain).catch(() => 400);
  // Nobody is between this machine and itself, so a registry there is first spoken to as most there speak.
  const said = isOurs ? await plainly() : undefined;
  if (said !== undefined && API_ANSWERS.includes(said)) return plain;
  try {
    await answers(secure);
    return secure;
  } catch (error) {
    // Where plain HTTP is nothing to the server either, what is wrong is its certificate.
    if ((said ?? (await plainly())) !== 400) return plain;
    throw networkError(`reach the registry ${registry}`, registry, secure, error);
  }
}
