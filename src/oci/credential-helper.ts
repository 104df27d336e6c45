import { spawn } from 'node:child_process';
import type { Environment } from '../core/environment.ts';
import { AppError, toAppError } from '../core/error.ts';
import { ownDirectory } from '../core/own-files.ts';
import { createWarden } from '../sys/warden.ts';
import type { Credential } from './http/types.ts';

/** What a helper is asked for: the only argument that it gets. */
export type HelperAction = 'get' | 'store' | 'erase';

/** Runs a program with an action as its argument and `input` as standard input; rejects when it cannot be started. */
export type SpawnHelper = (
  program: string,
  input: string,
  env: Environment,
  action: HelperAction,
) => Promise<{ readonly exitCode: number | null; readonly stdout: string }>;

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 1024 * 1024;
/** What helpers print when they know nothing (docker-credential-helpers, protocol). */
const NOT_FOUND = 'credentials not found in native keychain';

/**
 * Asks a `docker-credential-*` program for a registry's credential; undefined when it has none.
 * @param name what follows `docker-credential-` in the program's name
 * @throws AppError AUTH when the program fails; its output is not shown, as it may be a secret
 */
export async function runCredentialHelper(
  run: SpawnHelper,
  name: string,
  server: string,
  env: Environment,
): Promise<Credential | undefined> {
  const program = programOf(name);
  const { exitCode, stdout } = await run(program, server, env, 'get');
  if (exitCode !== 0) {
    if (stdout.trim() === NOT_FOUND) return undefined;
    throw new AppError('AUTH', `${program} ended with exit code ${exitCode} for ${server}`, {
      hint: `run "echo ${server} | ${program} get" to see why, or remove it from the Docker config`,
    });
  }
  let answer: { Username?: unknown; Secret?: unknown } = {};
  try {
    answer = JSON.parse(stdout) as typeof answer;
  } catch {
    // Told below.
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new AppError('AUTH', `${program} printed no credential for ${server}`);
  }
  if (username === '' && secret === '') return undefined;
  return username === '<token>' ? { identityToken: secret } : { username, password: secret };
}

/**
 * Has a `docker-credential-*` program keep a registry's user and password, or forget them; one that has none is fine.
 * @param name as for runCredentialHelper
 * @throws AppError AUTH when it cannot be started or fails; its output is not shown, as it may be a secret
 */
export async function changeHelper(
  run: SpawnHelper,
  name: string,
  change:
    | {
        readonly action: 'store';
        readonly server: string;
        readonly username: string;
        readonly password: string;
      }
    | { readonly action: 'erase'; readonly server: string },
  env: Environment,
): Promise<void> {
  const program = programOf(name);
  const { action, server } = change;
  const input =
    action === 'erase'
      ? server
      : JSON.stringify({ ServerURL: server, Username: change.username, Secret: change.password });
  const { exitCode, stdout } = await run(program, input, env, action).catch((error: unknown) => {
    throw toAppError(error, 'AUTH', `the credential helper ${program} cannot be run`, {
      hint: 'install it, or remove it from the Docker config',
    });
  });
  if (exitCode === 0 || (action === 'erase' && stdout.trim() === NOT_FOUND)) return;
  throw new AppError('AUTH', `${program} ${action} ended with exit code ${exitCode} for ${server}`, {
    hint: `run "${program} list" to see whether it works, or remove it from the Docker config`,
  });
}

/** @throws AppError AUTH for what cannot be a part of a program's name */
function programOf(name: string): string {
  if (/^[\w.-]+$/.test(name)) return `docker-credential-${name}`;
  throw new AppError('AUTH', 'the Docker config names a malformed credential helper');
}

/** The SpawnHelper that really starts the program. */
export const spawnCredentialHelper: SpawnHelper = (program, input, env, action) =>
  new Promise((resolve, reject) => {
    const warden = createWarden(env.PATH);
    warden.prepare();
    const child = spawn(program, [action], {
      env: { ...env, PATH: searchPath(env.PATH) },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
    });
    // Not its group, which is ours: it may ask for something on the terminal.
    if (child.pid !== undefined) warden.watch(child.pid);
    const parts: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= MAX_OUTPUT) parts.push(part);
    });
    child.on('error', reject);
    child.on('exit', () => void warden.close());
    child.on('close', (exitCode) => resolve({ exitCode, stdout: Buffer.concat(parts).toString('utf8') }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });

/** Helpers may also be put beside our own programs, where a container has no PATH that leads to anything yet. */
function searchPath(path: string | undefined): string {
  const own = ownDirectory();
  return [path, own && `${own}/bin`].filter(Boolean).join(':');
}
