import { dirname } from 'node:path';
import { applyEdits, type JSONPath, modify } from 'jsonc-parser';
import type { Environment } from '../core/environment.ts';
import { AppError, toAppError } from '../core/error.ts';
import { makeDirectories } from '../core/make-directories.ts';
import { writeOutputText } from '../sys/output-file.ts';
import { changeHelper, type SpawnHelper, spawnCredentialHelper } from './credential-helper.ts';
import {
  type DockerConfig,
  helperFor,
  hostOf,
  parseConfig,
  readConfigText,
  serverKey,
} from './docker-config.ts';

/** Where logins are kept. */
export interface LoginPlace {
  /** Docker's config; it need not be there. */
  readonly file: string;
  /** Environment of credential helpers. */
  readonly env: Environment;
  readonly spawnHelper?: SpawnHelper;
}

/**
 * Keeps a user and password for a registry as `docker login` does: with the credential helper that the config names for it,
 * else in the config itself, readable by its owner alone. All else in the config keeps its values, its order and its comments;
 * other spellings of the registry go, as they would be found in its place.
 * @param registry a host, `docker.io` for Docker Hub
 * @returns the credential helper that has it; undefined where the file has it
 * @throws AppError AUTH when the config is no such config, or the helper fails; OUTPUT when it cannot be written
 */
export async function storeLogin(
  registry: string,
  { username, password }: { readonly username: string; readonly password: string },
  place: LoginPlace,
): Promise<string | undefined> {
  const { text, config } = readConfig(place.file);
  const server = serverKey(registry);
  const helper = helperFor(config, registry);
  const run = place.spawnHelper ?? spawnCredentialHelper;
  if (helper) await changeHelper(run, helper, { action: 'store', server, username, password }, place.env);
  const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  const others = spellingsOf(config, registry).filter((key) => key !== server);
  const without = others.reduce((now, key) => edited(now, ['auths', key], undefined), text);
  await writeConfig(place.file, text, edited(without, ['auths', server], helper ? {} : { auth }));
  return helper;
}

/**
 * Forgets what is kept for a registry: in the config, under each spelling, and with its credential helper.
 * @returns whether the config had anything of it, or a helper was told
 * @throws AppError as storeLogin
 */
export async function removeLogin(registry: string, place: LoginPlace): Promise<boolean> {
  const { text, config } = readConfig(place.file);
  const spellings = spellingsOf(config, registry);
  const without = spellings.reduce((now, key) => edited(now, ['auths', key], undefined), text);
  await writeConfig(place.file, text, without);
  const helper = helperFor(config, registry);
  const run = place.spawnHelper ?? spawnCredentialHelper;
  if (helper) await changeHelper(run, helper, { action: 'erase', server: serverKey(registry) }, place.env);
  return spellings.length > 0 || helper !== undefined;
}

const EMPTY = '{}\n';

function readConfig(file: string): { readonly text: string; readonly config: DockerConfig } {
  const where = { path: file };
  try {
    const found = readConfigText(file) ?? '';
    const config = parseConfig(found, file);
    for (const name of ['auths', 'credHelpers'] as const) {
      const value: unknown = config[name];
      if (value !== undefined && (value === null || typeof value !== 'object' || Array.isArray(value)))
        throw new AppError('AUTH', `"${name}" in ${file} is not a JSON object`, { where });
    }
    return { text: found.trim() === '' ? EMPTY : found, config };
  } catch (error) {
    throw toAppError(error, 'AUTH', `cannot read the Docker config ${file}`, { where });
  }
}

const spellingsOf = ({ auths = {} }: DockerConfig, registry: string): readonly string[] =>
  Object.keys(auths).filter((key) => hostOf(key) === hostOf(registry));

/** A text of JSON with one value changed, or removed where it is undefined; elsewhere only white space may change. */
function edited(text: string, path: JSONPath, value: object | undefined): string {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '\t';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
  return applyEdits(text, modify(text, path, value, { formattingOptions }));
}

async function writeConfig(file: string, before: string, after: string): Promise<void> {
  if (after === before) return;
  try {
    makeDirectories(dirname(file), 0o700);
    await writeOutputText(file, after, { mode: 0o600, keepsOwner: true });
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot write the Docker config ${file}`, {
      where: { path: file },
      hint: 'name another directory with DOCKER_CONFIG',
    });
  }
}
