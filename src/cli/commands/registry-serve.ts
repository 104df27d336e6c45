import { resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import { serveRegistry } from '../../index.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import type { CommandBody } from '../command.ts';
import type { Options } from '../options/table.ts';

/** `envbuilder registry serve`: prints where it listens, and serves until it is interrupted. */
export const registryServeCommand: CommandBody = async ({ options }, context, emit) => {
  const { cwd, signal, stdout } = context;
  const { htpasswd } = options;
  const tls = tlsFiles(options, cwd);
  const server = await serveRegistry({
    dir: registryDir(options, cwd),
    ...parseAddress(options.addr),
    onEvent: emit,
    ...(tls === undefined ? {} : { tls }),
    ...(htpasswd === undefined ? {} : { htpasswd: resolve(cwd, htpasswd) }),
  });
  stdout.write(`${server.url}\n`);
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
  await server.close();
};

/** The directory that the registry commands work on. @throws AppError USAGE when none is named */
export function registryDir(options: Options, cwd: string): string {
  if (options.dir !== undefined) return resolve(cwd, options.dir);
  throw new AppError('USAGE', 'no directory is named', {
    hint: 'name the directory of the registry with --dir',
  });
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  if (port !== undefined && Number(port) < 65536) {
    return { host: bracketed ?? (plain || '::'), port: Number(port) };
  }
  throw new AppError('USAGE', `"${text}" is not an address to listen at`, {
    hint: 'write HOST:PORT, as in 127.0.0.1:5000, or :5000 for every address of the machine',
  });
}

function tlsFiles(
  options: Options,
  cwd: string,
): { readonly cert: string; readonly key: string } | undefined {
  const { 'tls-cert': cert, 'tls-key': key } = options;
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined)
    return { cert: readPem(resolve(cwd, cert)), key: readPem(resolve(cwd, key)) };
  throw new AppError('USAGE', 'a certificate needs a key, and a key a certificate', {
    hint: 'name both --tls-cert and --tls-key',
  });
}

function readPem(path: string): string {
  try {
    return readOwnFile(path).toString('utf8');
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot read ${path}`, { where: { path } });
  }
}
