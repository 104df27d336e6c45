import * as fs from 'node:fs';
import { type ParseError, parse } from 'jsonc-parser';
import { once } from '../core/concurrency.ts';
import type { Environment } from '../core/environment.ts';
import { AppError, toAppError } from '../core/error.ts';
import { type Emit, silent } from '../core/events.ts';
import { readRegularFile } from '../sys/regular-file.ts';
import { ifExists } from './blob-file.ts';
import { runCredentialHelper, type SpawnHelper, spawnCredentialHelper } from './credential-helper.ts';
import type { Credential, CredentialSource } from './http/types.ts';
import { DOCKER_HUB } from './reference.ts';

export interface CredentialOptions {
  /** Docker config JSON as text; beats every file. */
  readonly configJson?: string;
  /** Files to look for, the first that exists is used; one that is a directory stands for its `config.json`. */
  readonly configPaths: readonly string[];
  /** Environment of credential helpers; PATH says where they are. */
  readonly env: Environment;
  readonly spawnHelper?: SpawnHelper;
  readonly emit?: Emit;
}

interface AuthEntry {
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** The parts of Docker's config that say how to log in. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/** Docker's own key for Docker Hub, and other spellings of it. */
const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_HOSTS = [
  DOCKER_HUB,
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
  'hub.docker.com',
];

/**
 * Credentials as Docker's config file has them: a helper for the registry, else the common helper, else `auths`. The file
 * is read on first use; comments in it are allowed. A helper that fails is a warning, and the registry is then called
 * anonymously, since the config may come from another machine than the one that it is used on.
 * @throws AppError AUTH (from the source) when the config cannot be read
 */
export function createCredentials(options: CredentialOptions): CredentialSource {
  const { configJson, configPaths, env, emit = silent, spawnHelper = spawnCredentialHelper } = options;
  const config = once(() =>
    configJson === undefined
      ? readFirst(configPaths)
      : { config: parseConfig(configJson, GIVEN), file: GIVEN },
  );

  return async (registry) => {
    const {
      config: { auths = {}, credHelpers = {}, credsStore },
      file,
    } = config();
    const key = serverKey(registry);
    const helper = helperFor({ credHelpers, ...(credsStore ? { credsStore } : {}) }, registry);
    if (helper) {
      try {
        const found = await runCredentialHelper(spawnHelper, helper, key, env);
        if (found !== undefined)
          return { ...found, from: `docker-credential-${helper}, which ${file} names` };
      } catch (thrown) {
        const error = toAppError(thrown, 'AUTH', `the credential helper docker-credential-${helper} failed`);
        emit({
          type: 'warning',
          code: 'AUTH',
          text: error.message,
          ...(error.hint ? { hint: error.hint } : {}),
        });
      }
    }
    const entry = valueFor(auths, registry);
    const found = entry && credentialOf(entry);
    return found && { ...found, from: file };
  };
}

/** The key that Docker has for a registry in its config and in credential helpers. */
export function serverKey(registry: string): string {
  return HUB_HOSTS.includes(registry) ? HUB_KEY : registry;
}

/** The credential helper for a registry, by what follows `docker-credential-` in its name. */
export function helperFor(
  { credHelpers = {}, credsStore }: DockerConfig,
  registry: string,
): string | undefined {
  return valueFor(credHelpers, registry) ?? credsStore;
}

function valueFor<T>(entries: Readonly<Record<string, T>>, registry: string): T | undefined {
  if (Object.hasOwn(entries, registry)) return entries[registry];
  const wanted = hostOf(registry);
  const found = Object.keys(entries).find((key) => hostOf(key) === wanted);
  return found === undefined ? undefined : entries[found];
}

/** The host of a registry in any spelling that a config may have for it; `docker.io` for those of Docker Hub. */
export function hostOf(key: string): string {
  const host = key
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
  return HUB_HOSTS.includes(host) ? DOCKER_HUB : host;
}

function credentialOf(entry: AuthEntry): Credential | undefined {
  if (entry.registrytoken) return { registryToken: entry.registrytoken };
  if (entry.identitytoken) return { identityToken: entry.identitytoken };
  if (entry.username && entry.password !== undefined)
    return { username: entry.username, password: entry.password };
  const text = Buffer.from(entry.auth ?? '', 'base64')
    .toString('utf8')
    .replace(/\0+$/, '');
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Most bytes of a Docker config; tokens of many registries take some kilobytes. */
const LARGEST_CONFIG = 16 * 1024 * 1024;

interface FoundConfig {
  readonly config: DockerConfig;
  readonly file: string;
}

/** A config that came as a text. */
const GIVEN = 'the Docker config that was given';

/** The text of a Docker config; undefined where there is no file. @throws Error as readRegularFile, and EFBIG */
export function readConfigText(file: string): string | undefined {
  return ifExists(() => readRegularFile(file, { limit: LARGEST_CONFIG }).toString('utf8'));
}

function readFirst(paths: readonly string[]): FoundConfig {
  for (const path of paths) {
    const file = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ? `${path}/config.json` : path;
    try {
      const text = readConfigText(file);
      if (text !== undefined) return { config: parseConfig(text, file), file };
    } catch (error) {
      throw toAppError(error, 'AUTH', `cannot read the Docker config ${file}`, { where: { path: file } });
    }
  }
  return { config: {}, file: '' };
}

/** Reads the text of a Docker config; an empty one is one. @throws AppError AUTH for what is no JSON object */
export function parseConfig(text: string, what: string): DockerConfig {
  const errors: ParseError[] = [];
  const value: unknown = text.trim() === '' ? {} : parse(text, errors, { allowTrailingComma: true });
  if (errors.length === 0 && value !== null && typeof value === 'object' && !Array.isArray(value))
    return value;
  throw new AppError('AUTH', `${what} is not a JSON object`, {
    hint: 'it should look like {"auths": {"registry.example": {"auth": "…"}}}',
  });
}
