import { openRegistries } from '../builder/registry-access.ts';
import type { RegistrySettings } from '../builder/types.ts';
import type { Environment } from '../core/environment.ts';
import { AppError } from '../core/error.ts';
import { hostOf } from '../oci/docker-config.ts';
import { removeLogin, storeLogin } from '../oci/docker-login.ts';
import { discard } from '../oci/http/redirect.ts';
import { DOCKER_HUB } from '../oci/reference.ts';
import { type RunOptions, registrySettings, runDeps } from './request.ts';

/** Whose login at which registry, and the Docker config that keeps it. */
export interface LogOutRequest {
  /** A host with or without a port, in any spelling that Docker takes; Docker Hub when left out. */
  readonly registry?: string;
  /** Docker's config, a file. */
  readonly file: string;
  /** Environment of credential helpers; PATH says where they are. */
  readonly env: Environment;
}

export interface LogInRequest extends LogOutRequest {
  readonly username: string;
  readonly password: string;
  readonly registries?: Partial<RegistrySettings>;
}

/** Where a login is kept now. */
export interface LoggedIn {
  /** `docker.io` for Docker Hub. */
  readonly registry: string;
  /** What follows `docker-credential-`; undefined where the file has it, which is not encrypted. */
  readonly helper?: string;
}

/** @see logIn of index.ts */
export async function login(request: LogInRequest, run: RunOptions): Promise<LoggedIn> {
  const registry = registryOf(request.registry);
  const { username, password } = request;
  const isOdd = (text: string): boolean => text === '' || /\p{Cc}/u.test(text);
  if (isOdd(username) || username.includes(':'))
    throw new AppError('USAGE', 'the user name is empty or has a colon or control characters in it');
  if (isOdd(password)) throw new AppError('USAGE', 'the password is empty or has several lines');
  const deps = runDeps(run);
  const given = { username, password, from: 'this login' };
  const registries = openRegistries(registrySettings(request.registries), {
    ...deps,
    credentials: async () => given,
  });
  try {
    const { body } = await registries.client.request(registry, {
      method: 'GET',
      path: '',
      scopes: [],
      accept: [200],
      what: `log in to ${registry}`,
      signal: deps.signal,
    });
    discard(body);
  } finally {
    await registries.close();
  }
  const helper = await storeLogin(registry, { username, password }, request);
  return { registry, ...(helper === undefined ? {} : { helper }) };
}

/** @see logOut of index.ts */
export async function logout(request: LogOutRequest): Promise<{ registry: string; wasIn: boolean }> {
  const registry = registryOf(request.registry);
  return { registry, wasIn: await removeLogin(registry, request) };
}

/** @throws AppError USAGE for what is no host */
function registryOf(text = DOCKER_HUB): string {
  const host = hostOf(text.trim());
  const url = URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : undefined;
  if (url && /^[\w.:[\]-]+$/.test(host) && url.hostname !== '') return host;
  throw new AppError('USAGE', 'the registry is no host', {
    hint: 'write HOST or HOST:PORT, as registry.example:5000',
  });
}
