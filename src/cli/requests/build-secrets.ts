import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError, toAppError } from '../../core/error.ts';
import type { SecretSource, SshSource } from '../../index.ts';
import type { Redactor } from '../../report/redact.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import { parseFields } from '../options/fields.ts';

export interface SecretDeps {
  readonly env: Environment;
  readonly cwd: string;
  readonly redactor: Redactor;
}

const SECRET_HINT = 'write it as id=NAME,src=FILE or id=NAME,env=VARIABLE';

/**
 * A build secret from the value of `--secret`, in Docker's notation. Its value is read when a RUN mounts it, and masked in
 * all output from then on.
 * @throws AppError USAGE when the notation is wrong, the file is missing or the variable is not set
 */
export function parseSecret(text: string, { env, cwd, redactor }: SecretDeps): SecretSource {
  const fields = parseFields(text, '--secret', {
    type: 'type',
    id: 'id',
    src: 'src',
    source: 'src',
    env: 'env',
  });
  const { id, src, type } = fields;
  if (!id) throw new AppError('USAGE', '--secret names no id', { hint: SECRET_HINT });
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw new AppError('USAGE', `--secret ${id} has the type "${type}"`, { hint: 'it can be file or env' });
  }
  if (src !== undefined && fields.env !== undefined)
    throw new AppError('USAGE', `--secret ${id} names both a file and a variable`, { hint: SECRET_HINT });
  if (type === 'file' && src === undefined)
    throw new AppError('USAGE', `--secret ${id} names no file`, { hint: SECRET_HINT });
  if (src !== undefined && type !== 'env') return fileSecret(id, resolve(cwd, src), redactor);
  const variable = fields.env ?? src ?? id;
  const value = env[variable];
  if (value === undefined) {
    throw new AppError('USAGE', `--secret ${id} takes its value from ${variable}, which is not set`, {
      hint: SECRET_HINT,
    });
  }
  return textSecret(id, value, redactor);
}

/** A secret whose value is known already. */
export function textSecret(id: string, value: string, redactor: Redactor): SecretSource {
  redactor.add(value);
  return { id, value: async () => Buffer.from(value) };
}

/**
 * An SSH agent from the value of `--ssh`: `default` or `ID`, or `ID=SOCKET`.
 * @throws AppError USAGE when there is no such socket
 */
export function parseSsh(text: string, { env, cwd }: Omit<SecretDeps, 'redactor'>): SshSource {
  const equals = text.indexOf('=');
  const id = equals < 0 ? text : text.slice(0, equals);
  const named = equals < 0 ? env.SSH_AUTH_SOCK : text.slice(equals + 1);
  if (!id)
    throw new AppError('USAGE', '--ssh names no id', { hint: 'write --ssh default or --ssh ID=SOCKET' });
  if (!named) {
    throw new AppError('USAGE', `--ssh ${id} names no agent, and SSH_AUTH_SOCK is not set`, {
      hint: 'start an agent with ssh-agent, or name its socket as ID=SOCKET',
    });
  }
  const socket = resolve(cwd, named);
  if (statSync(socket, { throwIfNoEntry: false })?.isSocket()) return { id, socket };
  throw new AppError('USAGE', `--ssh ${id}: ${socket} is not the socket of an agent`, {
    where: { path: socket },
    hint: 'key files are not taken; add the key to an agent with ssh-add and name the socket of that agent',
  });
}

function fileSecret(id: string, path: string, redactor: Redactor): SecretSource {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new AppError('USAGE', `--secret ${id}: there is no file ${path}`, { where: { path } });
  }
  return {
    id,
    value: async () => {
      try {
        const value = readOwnFile(path);
        redactor.add(value.toString('utf8'));
        return value;
      } catch (error) {
        throw toAppError(error, 'USAGE', `cannot read the secret ${id}`, { where: { path } });
      }
    },
  };
}
