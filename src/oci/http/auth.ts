import { AppError } from '../../core/error.ts';
import { type Challenge, chooseChallenge } from './challenge.ts';
import { basicHeader, fetchToken, type Token } from './token.ts';
import type { Transport } from './transport.ts';
import type { Credential, CredentialSource } from './types.ts';

/** The authorisation of one registry; shared by all its requests. */
export interface Authenticator {
  /**
   * The Authorization header for a request that needs these scopes, or undefined when none is known to be needed. Many
   * callers share one token; only the first request to a registry goes out before it is known how to authorise.
   */
  header(scopes: readonly string[]): Promise<string | undefined>;
  /**
   * Learns from the answer to a request sent with `used`.
   * @returns whether it is worth sending again with a new header
   */
  learn(answer: { readonly status: number; readonly challenge: string | undefined }, used: Used): boolean;
  /** For messages: where the credential came from that was used; undefined where there was none. */
  origin(): Promise<string | undefined>;
  /** Lets waiting requests go when the first one got no answer. */
  release(): void;
}

export interface Used {
  readonly scopes: readonly string[];
  readonly header: string | undefined;
  /** When the request began, in milliseconds since the epoch; a token fetched since then is not stale. */
  readonly since: number;
}

export interface AuthenticatorOptions {
  readonly transport: Transport;
  readonly registry: string;
  readonly base: string;
  readonly credentials: CredentialSource;
  readonly insecure: boolean;
  /** Wraps the fetch of a token with retries. */
  readonly retrying: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}

interface Entry {
  readonly scopes: readonly string[];
  readonly fetchedAt: number;
  readonly promise: Promise<Token>;
  token?: Token;
}

/**
 * What registries have asked for so far, by their base: another client of this process need not send its first request alone
 * to find that out. One that asks for something else by now is learned from again.
 */
const learned = new Map<string, Challenge | undefined>();

/** @throws AppError AUTH, REGISTRY from `header` */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { transport, registry, base, credentials, insecure, retrying } = options;
  const entries = new Map<string, Entry>();
  let credential: Promise<Credential | undefined> | undefined;
  let challenge = learned.get(base);
  let first: { readonly done: Promise<void>; readonly release: () => void } | undefined = learned.has(base)
    ? { done: Promise.resolve(), release: () => {} }
    : undefined;

  const credentialOnce = (): Promise<Credential | undefined> => {
    credential ??= credentials(registry);
    return credential;
  };

  const token = (scopes: readonly string[], known: Challenge): Promise<Token> => {
    const now = Date.now();
    const usable = [...entries.values()].find(
      ({ token, scopes: held }) => token && token.expires > now && covers(held, scopes),
    );
    if (usable !== undefined) return usable.promise;
    const key = scopes.join(' ');
    const pending = entries.get(key);
    if (pending !== undefined && pending.token === undefined) return pending.promise;
    const promise = credentialOnce().then((found) =>
      retrying(`log in to ${registry}`, () =>
        fetchToken(transport, { registry, base, challenge: known, scopes, credential: found, insecure }),
      ),
    );
    const entry: Entry = { scopes, fetchedAt: now, promise };
    entries.set(key, entry);
    promise.then(
      (fetched) => {
        entry.token = fetched;
      },
      () => {
        if (entries.get(key) === entry) entries.delete(key);
      },
    );
    return promise;
  };

  const basic = async (): Promise<string> => {
    const found = await credentialOnce();
    if (found !== undefined && 'username' in found) return basicHeader(found.username, found.password);
    throw new AppError('AUTH', `${registry} asks for a user name and password, and there are none for it`, {
      hint: `log in to ${registry}, or add it to the Docker config`,
    });
  };

  return {
    origin: async () => (await credential?.catch(() => undefined))?.from,
    header: async (scopes) => {
      if (first !== undefined) await first.done;
      if (challenge === undefined) {
        if (first === undefined) {
          const { promise, resolve } = Promise.withResolvers<void>();
          first = { done: promise, release: resolve };
        }
        const found = await credentialOnce();
        return found !== undefined && 'registryToken' in found ? `Bearer ${found.registryToken}` : undefined;
      }
      if (challenge.scheme === 'basic') return basic();
      const found = await credentialOnce();
      if (found !== undefined && 'registryToken' in found) return `Bearer ${found.registryToken}`;
      return `Bearer ${(await token(scopes, challenge)).value}`;
    },
    learn: (answer, used) => {
      const offered = answer.status === 401 ? chooseChallenge(answer.challenge) : undefined;
      challenge = offered ?? challenge;
      learned.set(base, challenge);
      first?.release();
      if (offered === undefined) return false;
      if (used.header === undefined) return true;
      // Whoever revokes one token may have revoked all: trying each of them in turn would use up the rounds.
      for (const [key, { token: held, fetchedAt }] of entries) {
        if (held === undefined) continue;
        if (`Bearer ${held.value}` === used.header || fetchedAt < used.since) entries.delete(key);
      }
      return offered.scheme === 'bearer';
    },
    release: () => first?.release(),
  };
}

/** Whether a token for `held` serves a request for `wanted`: every repository with at least the same actions. */
function covers(held: readonly string[], wanted: readonly string[]): boolean {
  const actions = new Map(held.map(splitScope));
  return wanted.map(splitScope).every(([name, needed]) => {
    const have = actions.get(name) ?? [];
    return needed.every((action) => have.includes(action));
  });
}

function splitScope(scope: string): [string, readonly string[]] {
  const colon = scope.lastIndexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1).split(',')];
}
