import { spawn } from 'node:child_process';
import type { Environment } from '../core/environment.ts';
import { AppError } from '../core/error.ts';
import { ownDirectory } from '../core/own-files.ts';
import type { Credential } from './http/types.ts';

/** Runs a program with `get` as its argument and `input` as standard input; rejects when it cannot be started. */
export type SpawnHelper = (
  program: string,
  input: string,
  env: Environment,
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
  const program = `docker-credential-${name}`;
  if (!/^[\w.-]+$/.test(name))
    throw new AppError('AUTH', 'the Docker config names a malformed credential helper');
  const { exitCode, stdout } = await run(program, server, env);
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

/** The SpawnHelper that really starts the program. */
export const spawnCredentialHelper: SpawnHelper = (program, input, env) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], {
      env: { ...env, PATH: searchPath(env.PATH) },
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
    });
    const parts: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (part: Buffer) => {
      length += part.length;
      if (length <= MAX_OUTPUT) parts.push(part);
    });
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, stdout: Buffer.concat(parts).toString('utf8') }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });

/** Helpers may also be put beside our own programs, where a container has no PATH that leads to anything yet. */
function searchPath(path: string | undefined): string {
  const own = ownDirectory();
  return [path, own && `${own}/bin`].filter(Boolean).join(':');
}
