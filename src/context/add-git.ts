import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../core/error.ts';
import { createGit, GIT_MISSING, type Git } from './git/git.ts';
import { gitReason } from './git/git-failure.ts';
import { gitProgram } from './git/git-program.ts';
import { parseGitUrl as parseAddress } from './git/git-url.ts';

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
export async function resolveGitCommit(source: string, signal?: AbortSignal): Promise<string> {
  const { remote, ref = 'HEAD' } = parseGitUrl(source);
  if (ref.startsWith('-') || remote.startsWith('-')) {
    throw new AppError('CONTEXT', `${shown(source)} names no branch, tag or commit`, {
      hint: 'write URL#branch:directory',
    });
  }
  if (COMMIT.test(ref)) return ref;
  const out = await withGit(remote, (git) =>
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

/**
 * Checks a commit of a git source out into an empty directory, submodules included.
 * @throws AppError CONTEXT; the reason of the signal
 */
export async function checkoutGit(
  source: string,
  commit: string,
  target: string,
  { keepGitDir, signal }: { readonly keepGitDir: boolean; readonly signal?: AbortSignal },
): Promise<void> {
  const { remote, ref, subdir } = parseGitUrl(source);
  const work = await mkdtemp(`${target}-git-`);
  try {
    await withGit(remote, async (git) => {
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
    const from = subdir === undefined ? work : join(work, join('/', subdir));
    await mkdir(target, { recursive: true });
    for (const name of await readdir(from))
      await rename(join(from, name), join(target, name)).catch(() =>
        cp(join(from, name), join(target, name), { recursive: true }),
      );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** git as the user of this machine has it set up, with the login of the address on top. */
async function withGit<T>(remote: string, work: (git: Git) => Promise<T>): Promise<T> {
  const { PATH = '', HOME = '', SSH_AUTH_SOCK: agent } = process.env;
  const login = parseAddress(remote)?.login;
  const git = createGit({
    ...gitProgram(PATH),
    home: HOME,
    // The key knows the commit alone, so nothing of this machine may get into the files.
    umask: 0o022,
    ssh: { knownHosts: [], ...(agent === undefined ? {} : { agent }) },
    ...(login === undefined ? {} : { login }),
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
  throw new AppError('CONTEXT', `cannot read ${shown(source)}: ${shown(reason)}`, {
    where: { url: shown(source) },
    ...(missing ? { hint: 'install git' } : {}),
  });
}

/** The address without the login of an HTTP server; the user of any other one is a part of it. */
export function gitAddress(remote: string): string {
  return parseAddress(remote)?.remote ?? remote;
}

/** Text without the credentials of URLs in it. */
function shown(text: string): string {
  return text.replace(/(\w+:\/\/)[^@/\s]*@/g, '$1');
}
