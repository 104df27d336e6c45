import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '../core/error.ts';
import { ownProgram } from '../core/own-files.ts';

/** A git source of ADD: where, what, and which part of it. */
export interface GitSource {
  readonly remote: string;
  /** Branch, tag or commit; the remote's HEAD when left out. */
  readonly ref?: string;
  readonly subdir?: string;
}

const run = promisify(execFile);
const COMMIT = /^[0-9a-f]{40}$/;

/** Whether a source of ADD is a git repository (Dockerfile reference, "Adding files from a Git repository"). */
export function isGitUrl(source: string): boolean {
  if (/^git@[^/:]+:/.test(source) || /^(git|ssh):\/\//.test(source)) return true;
  return /^https?:\/\/[^#?]+\.git(?:[#?]|$)/.test(source);
}

/** Splits `remote#ref:subdir`, or `remote?ref=…&subdir=…`. */
function parseGitUrl(source: string): GitSource {
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
 * @throws AppError CONTEXT when the repository cannot be asked or has no such reference
 */
export async function resolveGitCommit(source: string): Promise<string> {
  const { remote, ref = 'HEAD' } = parseGitUrl(source);
  if (ref.startsWith('-') || remote.startsWith('-')) {
    throw new AppError('CONTEXT', `${shown(source)} names no branch, tag or commit`, {
      hint: 'write URL#branch:directory',
    });
  }
  if (COMMIT.test(ref)) return ref;
  const out = await git(['ls-remote', '--', remote, ref, `${ref}^{}`], source);
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
 * @throws AppError CONTEXT
 */
export async function checkoutGit(
  source: string,
  commit: string,
  target: string,
  options: { readonly keepGitDir: boolean },
): Promise<void> {
  const { remote, ref, subdir } = parseGitUrl(source);
  const work = await mkdtemp(`${target}-git-`);
  try {
    const at = (...args: string[]): Promise<string> => git(['-C', work, ...args], source);
    await at('init', '-q');
    await at('remote', 'add', 'origin', withoutCredentials(remote));
    try {
      await at('fetch', '-q', '--depth=1', 'origin', commit);
    } catch {
      // Servers may refuse to give a bare commit; then the reference is fetched whole.
      await at(
        'fetch',
        '-q',
        'origin',
        ref !== undefined && !COMMIT.test(ref) ? ref : '+refs/heads/*:refs/remotes/origin/*',
      );
    }
    await at('checkout', '-q', '--detach', commit);
    await at('submodule', '-q', 'update', '--init', '--recursive', '--depth=1');
    if (!options.keepGitDir) await rm(join(work, '.git'), { recursive: true, force: true });
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

async function git(args: readonly string[], source: string): Promise<string> {
  try {
    const { PATH = '', HOME = '', SSH_AUTH_SOCK } = process.env;
    const env = {
      PATH,
      HOME,
      GIT_TERMINAL_PROMPT: '0',
      ...credentialConfig(parseGitUrl(source).remote),
      ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }),
    };
    const { stdout } = await run(ownProgram('git'), ['-c', 'protocol.file.allow=user', ...args], {
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'git is not installed' : lastLine((cause as { stderr?: string }).stderr ?? '');
    throw new AppError('CONTEXT', `cannot read ${shown(source)}: ${shown(reason)}`, {
      where: { url: shown(source) },
      ...(missing ? { hint: 'install git' } : {}),
    });
  }
}

/**
 * Has git add the credentials of an HTTP URL to requests to its server, submodules included, so that they are in no file:
 * `.git` may be kept.
 */
function credentialConfig(remote: string): Record<string, string> {
  const clean = withoutCredentials(remote);
  if (clean === remote) return {};
  const [secret, origin] = [remote, clean].map((url) => /^https?:\/\/[^/]*\//i.exec(url)?.[0] ?? url);
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.${secret}.insteadOf`,
    GIT_CONFIG_VALUE_0: origin!,
  };
}

/** An HTTP URL without its credentials; the user of any other one is a part of the address. */
function withoutCredentials(remote: string): string {
  return remote.replace(/^(https?:\/\/)[^@/]*@/i, '$1');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Text without the credentials of URLs in it. */
function shown(text: string): string {
  return text.replace(/(\w+:\/\/)[^@/\s]*@/g, '$1');
}
