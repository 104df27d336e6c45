import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import { plainText } from '../../core/plain-text.ts';
import { logIn, logOut } from '../../index.ts';
import type { CommandBody } from '../command.ts';
import { dockerConfigPaths, registrySettings } from '../requests/registries.ts';
import type { CommandContext } from '../run-context.ts';

/** `envbuilder login`: keeps a user and password for a registry where Docker keeps them, after the registry took them. */
export const loginCommand: CommandBody = async ({ options, operands }, context, emit) => {
  const { env, redactor } = context;
  const { username, password: onCommandLine } = options;
  if (onCommandLine !== undefined)
    throw new AppError('USAGE', 'a password on the command line can be read by everybody on the machine', {
      hint: 'write it to standard input, with --password-stdin, and change it where it was seen',
    });
  if (username === undefined)
    throw new AppError('USAGE', 'no user is named', { hint: 'name one with --username' });
  const server = serverOf(operands);
  const password = await readPassword(options['password-stdin'], username, server.registry, context);
  redactor.add(password);
  const file = configFile(env);
  const { registry, helper } = await logIn(
    {
      ...server,
      username,
      password,
      file,
      env: registrySettings(options, env).helperEnv,
      registries: registrySettings(options, env),
    },
    { onEvent: emit, signal: context.signal },
  );
  if (env.ENVBUILDER_DOCKER_CONFIG_BASE64)
    emit({
      type: 'warning',
      code: 'AUTH',
      text: `builds do not read ${file}, since ENVBUILDER_DOCKER_CONFIG_BASE64 is set`,
    });
  const place = helper === undefined ? `in ${file}, unencrypted` : `by docker-credential-${helper}`;
  context.stdout.write(`logged in to ${registry} as ${username}; the password is kept ${place}\n`);
};

/** What is on standard input, or what is typed at a terminal. @throws AppError USAGE, ABORTED */
async function readPassword(
  fromStdin: boolean,
  username: string,
  registry: string | undefined,
  { stdin, askSecret }: CommandContext,
): Promise<string> {
  if (!fromStdin && !askSecret) throw new AppError('USAGE', 'no password is given', { hint: HINT });
  const where = registry === undefined ? '' : ` at ${plainText(registry)}`;
  const given = fromStdin
    ? ((await stdin?.()) ?? '').replace(/\r?\n$/, '')
    : await askSecret!(`Password of ${plainText(username)}${where}: `);
  if (given !== '') return given;
  throw new AppError('USAGE', fromStdin ? 'there is no password on standard input' : 'no password is given', {
    hint: HINT,
  });
}

/** `envbuilder logout`: forgets them. */
export const logoutCommand: CommandBody = async ({ options, operands }, { env, stdout }) => {
  const { helperEnv } = registrySettings(options, env);
  const file = configFile(env);
  const { registry, wasIn } = await logOut({ ...serverOf(operands), file, env: helperEnv });
  stdout.write(wasIn ? `logged out of ${registry}\n` : `${file} had no login for ${registry}\n`);
};

const HINT = 'as in: printenv TOKEN | envbuilder login --username NAME --password-stdin registry.example';

function serverOf([registry, ...more]: readonly string[]): { readonly registry?: string } {
  if (more.length > 0) throw new AppError('USAGE', `unexpected argument ${more[0]}`);
  return registry === undefined ? {} : { registry };
}

/**
 * The Docker config that logins go to: the one that builds read, or else the one that they will read then.
 * @throws AppError USAGE where there is no place for one
 */
export function configFile(env: Environment, paths: readonly string[] = dockerConfigPaths(env)): string {
  const typeOf = (path: string): 'dir' | 'file' | undefined => {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats && (stats.isDirectory() ? 'dir' : 'file');
  };
  const named = env.DOCKER_CONFIG;
  if (named) return typeOf(named) === 'file' ? named : join(named, 'config.json');
  const found = paths.find((path) => typeOf(path) === 'file');
  if (found !== undefined) return found;
  if (env.HOME) return join(env.HOME, '.docker', 'config.json');
  throw new AppError('USAGE', 'there is no place for a Docker config', { hint: 'set HOME or DOCKER_CONFIG' });
}
