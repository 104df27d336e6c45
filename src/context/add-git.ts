import { statSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/error.ts';
import { listNames } from '../core/list-names.ts';
import { fsPath } from '../core/path-bytes.ts';
import { resolveInRoot } from '../rootfs/resolve-in-root.ts';
import { createGit, GIT_MISSING, type Git } from './git/git.ts';
import { gitFailureKind, gitReason } from './git/git-failure.ts';
import { gitProgram } from './git/git-program.ts';
import { parseGitUrl as parseAddress } from './git/git-url.ts';
import { gitAuthorization, type SourceAccess } from './source-access.ts';

/** A git source of ADD: where, what, and which part of it. */
export interface GitSource {
  readonly remote: string;
  /** Branch, tag or commit; the remote's HEAD when left out. */
  readonly ref?: string;
  readonly subdir?: string;
}

const COMMIT = /^[0-9a-f]{40}$/;

/** Whether a source of ADD is a git repository (Dockerfile reference, "Adding files from a Git repository"). */
export function isGitUrl(source: string): boolean {
  if (/^git@[^/:]+:/.test(source) || /^(git|ssh):\/\//.test(source)) return true;
  return /^https?:\/\/[^#?]+\.git(?:[#?]|$)/.test(source);
}

/** Splits `remote#ref:subdir`, or `remote?ref=…&subdir=…`. */
export function parseGitUrl(source: string): GitSource {
  const [address = '', fragment = ''] = source.split('#');
  const [remote = '', query = ''] = address.split('?');
  const params = new URLSearchParams(query);
  const [fragmentRef = '', fragmentDir = ''] = fragment.split(':');
  const ref = params.get('ref') ?? params.get('tag') ?? params.get('branch') ?? fragmentRef;
  const subdir = params.get('subdir') ?? fragmentDir;
  return { remote, ...(ref ? { ref } : {}), ...(subdir ? { subdir } : {}) };
}

/**
 * The commit that a git source names now, by one `git ls-remote`.
 * @throws AppError CONTEXT when the repository cannot be asked or has no such reference; the reason of the signal
 */
export async function resolveGitCommit(
  source: string,
  access: SourceAccess,
  signal?: AbortSignal,
): Promise<string> {
  const { remote, ref = 'HEAD' } = parseGitUrl(source);
  if (ref.startsWith('-') || remote.startsWith('-')) {
    throw new AppError('CONTEXT', `${shown(source)} names no branch, tag or commit`, {
      hint: 'write URL#branch:directory',
    });
  }
  if (COMMIT.test(ref)) return ref;
  const out = await withGit(remote, access, (git) =>
    must(git, ['ls-remote', '--', gitAddress(remote), ref, `${ref}^{}`], source, signal),
  );
  const found = new Map(out.split('\n').map((line) => line.split('\t').reverse() as [string, string]));
  const names = [ref, `refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`];
  const commit = names.map((name) => found.get(name)).find((each) => each !== undefined);
  if (commit !== undefined) return commit;
  throw new AppError('CONTEXT', `${shown(source)} has no branch or tag "${ref}"`, {
    where: { url: shown(source) },
  });
}

export interface GitCheckout {
  /** Whether `.git` is among the files. */
  readonly keepGitDir: boolean;
  readonly access: SourceAccess;
  readonly signal?: AbortSignal;
}

/**
 * Checks a commit of a git source out into an empty directory, submodules included.
 * @throws AppError CONTEXT; the reason of the signal
 */
export async function checkoutGit(
  source: string,
  commit: string,
  target: string,
  { keepGitDir, access, signal }: GitCheckout,
): Promise<void> {
  const { remote, ref, subdir } = parseGitUrl(source);
  const work = await mkdtemp(`${target}-git-`);
  try {
    await withGit(remote, access, async (git) => {
      const at = (...args: string[]): Promise<string> => must(git, ['-C', work, ...args], source, signal);
      await at('init', '-q');
      await at('remote', 'add', 'origin', gitAddress(remote));
      try {
        await at('fetch', '--progress', '--depth=1', 'origin', commit);
      } catch {
        signal?.throwIfAborted();
        // Servers may refuse to give a bare commit; then the reference is fetched whole.
        const all = '+refs/heads/*:refs/remotes/origin/*';
        await at('fetch', '--progress', 'origin', ref !== undefined && !COMMIT.test(ref) ? ref : all);
      }
      await at('checkout', '-q', '--detach', commit);
      await at('submodule', '-q', 'update', '--init', '--recursive', '--depth=1');
    });
    if (!keepGitDir) await rm(join(work, '.git'), { recursive: true, force: true });
    const from = subdir === undefined ? work : resolveInRoot(work, join('/', subdir), { followLast: true });
    if (!statSync(fsPath(from), { throwIfNoEntry: false })?.isDirectory()) {
      throw new AppError('CONTEXT', `${shown(source)} has no directory "${subdir}"`, {
        where: { url: shown(source) },
      });
    }
    await mkdir(target, { recursive: true });
    // It lies beside the target, on the same file system.
    for (const name of listNames(from)) await rename(fsPath(join(from, name)), fsPath(join(target, name)));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** git with what the build was given, and the login of the address. */
async function withGit<T>(remote: string, access: SourceAccess, work: (git: Git) => Promise<T>): Promise<T> {
  const { agent, path, network } = access;
  const login = parseAddress(remote)?.login;
  const authorization = await gitAuthorization(gitAddress(remote), access);
  const git = createGit({
    ...network,
    ...gitProgram(path),
    templates: false,
    // The key knows the commit alone, so nothing of this machine may get into the files.
    umask: 0o022,
    ssh: { knownHosts: [], ...(agent === undefined ? {} : { agent }) },
    ...(login === undefined ? {} : { login }),
    ...(authorization === undefined ? {} : { authorization }),
  });
  try {
    return await work(git);
  } finally {
    git.close();
  }
}

async function must(
  git: Git,
  args: readonly string[],
  source: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { code, stdout, messages } = await git.run(args, signal === undefined ? {} : { signal });
  if (code === 0) return stdout;
  const missing = code === GIT_MISSING;
  const reason = missing ? 'git is not installed' : gitReason(messages);
  const hint = missing ? 'install git' : hintFor(messages, source);
  throw new AppError('CONTEXT', `cannot read ${shown(source)}: ${shown(reason)}`, {
    where: { url: shown(source) },
    ...(hint === undefined ? {} : { hint }),
  });
}

function hintFor(messages: readonly string[], source: string): string | undefined {
  const http = /^https?:/.test(source);
  switch (gitFailureKind(messages)) {
    case 'auth':
    case 'no-repository':
      return http
        ? 'for a private repository give the build the secret GIT_AUTH_TOKEN.HOST or GIT_AUTH_TOKEN'
        : 'give the build an SSH agent with --ssh default';
    case 'redirect':
      return 'credentials are not sent along: write the address that it redirects to';
    default:
      return undefined;
  }
}

/** The address without the login of an HTTP server; the user of any other one is a part of it. */
export function gitAddress(remote: string): string {
  return parseAddress(remote)?.remote ?? remote;
}

/** Text without the credentials of URLs in it. */
function shown(text: string): string {
  return text.replace(/(\w+:\/\/)[^@/\s]*@/g, '$1');
}
