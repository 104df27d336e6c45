import { openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import { type Emit, type ServeOptions, serveRegistry } from '../../index.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import type { CommandBody } from '../command.ts';
import { parseAge, parseSize } from '../options/quantities.ts';
import type { Options } from '../options/table.ts';
import type { CommandContext } from '../run-context.ts';

/** `envbuilder registry serve`: prints where it listens, and serves until it is interrupted. */
export const registryServeCommand: CommandBody = async ({ options }, context, emit) => {
  const { cwd, signal, stdout } = context;
  const { htpasswd, rights, 'metrics-addr': metrics, 'access-log': accessLog } = options;
  const tls = tlsFiles(options, cwd);
  const collect = collection(options);
  const dir = registryDir(options, cwd);
  const log = accessLog === undefined ? undefined : openLog(accessLog, context, emit);
  const server = await serveRegistry({
    dir,
    ...parseAddress(options.addr),
    onEvent: emit,
    ...(tls === undefined ? {} : { tls }),
    ...(htpasswd === undefined ? {} : { htpasswd: resolve(cwd, htpasswd) }),
    ...(rights === undefined ? {} : { rights: resolve(cwd, rights) }),
    ...(metrics === undefined ? {} : { metrics: parseAddress(metrics) }),
    ...(log === undefined ? {} : { onAccess: log }),
    ...(collect === undefined ? {} : { collect }),
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

/** @throws AppError USAGE */
function collection(options: Options): ServeOptions['collect'] {
  const { 'gc-every': every, 'older-than': age, 'max-size': size } = options;
  if (every === undefined) {
    if (age === undefined && size === undefined) return undefined;
    throw new AppError('USAGE', 'nothing is removed while serving unless it is said how often', {
      hint: 'add --gc-every, as in --gc-every 6h',
    });
  }
  return {
    everyMs: parseAge(every, '--gc-every'),
    graceMs: parseAge(options.grace, '--grace'),
    ...(age === undefined ? {} : { olderThanMs: parseAge(age, '--older-than') }),
    ...(size === undefined ? {} : { maxBytes: parseSize(size, '--max-size') }),
  };
}

/** What takes lines of the access log. Where they cannot be written any more, serving goes on, with one warning. */
function openLog(file: string, { cwd, stdout }: CommandContext, emit: Emit): (line: string) => void {
  if (file === '-') return (line) => void stdout.write(line);
  const path = resolve(cwd, file);
  let fd: number;
  try {
    fd = openSync(path, 'a', 0o640);
  } catch (error) {
    throw toAppError(error, 'USAGE', `cannot write ${path}`, { where: { path } });
  }
  let failed = false;
  return (line) => {
    try {
      writeSync(fd, line);
    } catch (error) {
      const { code, message } = toAppError(error, 'OUTPUT', 'the access log cannot be written');
      if (!failed) emit({ type: 'warning', code, text: message });
      failed = true;
    }
  };
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
