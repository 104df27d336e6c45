import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService, waitUntilReady } from '../../scripts/lib/service-process.ts';
import type { ServiceName, Services } from '../../scripts/lib/services.ts';
import { run } from '../../scripts/lib/shell.ts';
import type { CompareOptions } from './compare.ts';

/** `case.json`: how a Dockerfile is built and compared. Everything is optional but `about`. */
export interface CaseOptions {
  /** What the case is there for, one sentence. */
  readonly about: string;
  /** The Dockerfile's name in the context; made from the case's `Dockerfile`. */
  readonly file?: string;
  /** No --file: the Dockerfile is found in the context. */
  readonly implied?: boolean;
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly platform?: string;
  /** Named contexts: a path below the case's own directory as it is laid out (`context/…`), or `docker-image://…`. */
  readonly contexts?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Value by id; each is offered from a file, those under `env:` from a variable. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly secretEnv?: Readonly<Record<string, string>>;
  /** Offer an SSH agent without keys as `default`. */
  readonly ssh?: boolean;
  readonly needs?: readonly ServiceName[];
  /** Both must refuse to build it; ours with this exit code and a message that matches. */
  readonly fails?: { readonly exitCode: number; readonly message: string };
  readonly compare?: CompareOptions;
}

export interface Case {
  readonly name: string;
  readonly dir: string;
  readonly options: CaseOptions;
}

/** A case laid out to be built. */
export interface PreparedCase {
  readonly context: string;
  readonly dockerfile: string;
  /** What Docker builds: the case's `Dockerfile.docker`, where its front end does not know the syntax yet; whole, without --target. */
  readonly dockerDockerfile: string;
  /** Directory beside the context, for secrets and the like. */
  readonly side: string;
  /** `NAME=VALUE` of every named context, as both command lines take it. */
  readonly contexts: readonly string[];
  /** Ends what the case needed beside files. */
  readonly close: () => Promise<void>;
}

const casesDir = join(import.meta.dirname, '..', 'cases');

/** All cases in test/cases, by name. */
export function listCases(): readonly Case[] {
  return readdirSync(casesDir)
    .sort()
    .map((name) => {
      const dir = join(casesDir, name);
      return { name, dir, options: JSON.parse(readFileSync(join(dir, 'case.json'), 'utf8')) as CaseOptions };
    });
}

/**
 * Copies a case's `context/`, puts its Dockerfile there with `@REGISTRY@` and `@HTTP@` filled in, runs `prepare.sh` in the
 * context (for what git cannot keep: modes, odd names, devices) and sets all times to one moment in the past.
 * @param dir a directory that does not exist yet
 */
export async function prepareCase(test: Case, services: Services, dir: string): Promise<PreparedCase> {
  const context = join(dir, 'context');
  const side = join(dir, 'side');
  mkdirSync(side, { recursive: true });
  mkdirSync(context);
  if (existsSync(join(test.dir, 'context'))) {
    cpSync(join(test.dir, 'context'), context, { recursive: true, verbatimSymlinks: true });
  }
  const fill = (text: string) =>
    text
      .replaceAll('@REGISTRY@', services.registry?.host ?? 'registry.invalid')
      .replaceAll('@HTTP@', services.http?.host ?? 'http.invalid');
  const dockerfile = join(context, test.options.file ?? 'Dockerfile');
  const text = readFileSync(join(test.dir, 'Dockerfile'), 'latin1');
  mkdirSync(join(dockerfile, '..'), { recursive: true });
  writeFileSync(dockerfile, fill(text), 'latin1');
  const other = join(test.dir, 'Dockerfile.docker');
  const dockerDockerfile = existsSync(other) ? join(side, 'Dockerfile') : dockerfile;
  if (dockerDockerfile !== dockerfile)
    writeFileSync(dockerDockerfile, fill(readFileSync(other, 'latin1')), 'latin1');
  const prepare = join(test.dir, 'prepare.sh');
  if (existsSync(prepare))
    await run('/bin/sh', ['-eu', prepare], { cwd: context, env: { LC_ALL: 'C.UTF-8' } });
  await setTimes(context, timeOf(test.name));
  const close = test.options.ssh === true ? await startAgent(side) : async () => {};
  const contexts = Object.entries(test.options.contexts ?? {}).map(([name, value]) =>
    /^[a-z-]+:\/\//.test(value) ? `${name}=${fill(value)}` : `${name}=${join(dir, value)}`,
  );
  return { contexts, context, dockerfile, dockerDockerfile, side, close };
}

async function startAgent(dir: string): Promise<() => Promise<void>> {
  const socket = join(dir, 'agent');
  const agent = startService('ssh-agent', ['-D', '-a', socket], join(dir, 'agent.log'));
  await waitUntilReady('ssh-agent', agent, async () => {
    if (!existsSync(socket)) throw new Error('no socket yet');
  });
  return () => agent.stop();
}

/**
 * A time in 2022 that is the case's own: BuildKit takes a context file for one that it knows from another build when
 * name, size and time are the same.
 */
function timeOf(name: string): string {
  const second = createHash('sha256').update(name).digest().readUInt32BE() % 31_000_000;
  return new Date(Date.UTC(2022, 0, 1) + second * 1000).toISOString();
}

/** Gives every file below `dir` the same modification time. */
async function setTimes(dir: string, time: string): Promise<void> {
  const script = 'find . -print0 | xargs -0 touch -h -d "$1"';
  await run('/bin/sh', ['-c', script, 'sh', time], { cwd: dir });
}
