/** What starts of containers have in common: whoever starts one waits for what its first process says of itself. */

import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { AppError } from '../core/error.ts';
import { ownEnvironment } from '../core/own-files.ts';
import type { InitFailure } from '../sys/run-types.ts';
import { whyNoNamespace } from '../sys/user-namespace.ts';
import { STARTED } from './spec.ts';

/** Of what a program said. */
const MOST_OF_LINE = 300;

/** Programs of the machine that we use are found there, and not in the PATH of a container. */
export const pathOf = (env: NodeJS.ProcessEnv): string => env.PATH ?? '/usr/local/bin:/usr/bin:/bin';

/** The environment of programs on the way to a first process. */
export function launcherEnvironment(): NodeJS.ProcessEnv {
  return { ...ownEnvironment(), PATH: pathOf(process.env) };
}

/** What the first process says of itself; '' when it has ended without a word. */
export function saidBy(status: Readable): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  status.once('data', (bytes: Buffer) => resolve(bytes.toString('utf8')));
  status.once('end', () => resolve(''));
  return promise;
}

/** Why a first process is not there; what programs on the way to it said is in the log, behind what was there before. */
export function reasonIn(said: string, log: string, before: number): InitFailure {
  if (said !== '' && said !== STARTED) return JSON.parse(said) as InitFailure;
  const last = lastLine(readFileSync(log).subarray(before).toString('utf8'));
  return { message: last === '' ? 'its first process ended at once' : last };
}

/** The last line that says something, no longer than a message can be. */
export function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').trim().slice(0, MOST_OF_LINE);
}

/** The error of a start that failed. @param what as in `the container` */
export function notStarted(what: string, { message, hint }: InitFailure): AppError {
  return new AppError('START_FAILED', `${what} cannot be started: ${message}`, {
    hint:
      hint ?? 'it needs the rights to make namespaces and to mount: a host, or a container with --privileged',
  });
}

/** The error where an ordinary user can have no namespace. */
export function noNamespace(): AppError {
  const { why, hint } = whyNoNamespace();
  return new AppError('PERMISSION', `a container of an ordinary user needs a user namespace: ${why}`, {
    hint,
  });
}
