import { lstatSync, lutimesSync } from 'node:fs';
import { mkdir, mkdtemp, rename } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { AppError } from '../core/error.ts';
import { given } from '../core/given.ts';
import { listNames } from '../core/list-names.ts';
import { GIT_FILES } from '../core/network-limits.ts';
import { fsPath } from '../core/path-bytes.ts';
import { parseGoBool } from '../dockerfile/parse/values.ts';
import { createBeneath, withBeneath } from '../sys/beneath.ts';
import { removeTree } from '../sys/remove-tree.ts';
import { sharedSyscalls } from '../sys/syscalls.ts';
import { createGit, GIT_MISSING, type Git } from './git/git.ts';
import { gitFailureKind, gitReason } from './git/git-failure.ts';
import { gitProgram } from './git/git-program.ts';
import { parseGitUrl as parseAddress } from './git/git-url.ts';
import { updateSubmodules } from './git/submodules.ts';
import { createFileCount } from './git/too-many-files.ts';
import type { GitResult } from './git/types.ts';
import { gitAuthorization, type SourceAccess } from './source-access.ts';

/** A git source of ADD: where, what, and which part of it (Dockerfile reference, "Adding files from a Git repository"). */
export interface GitSource {
  readonly remote: string;
  /** Branch, tag or commit; the remote's HEAD when left out. */
  readonly ref?: string;
  /** Relative, without `..`. */
  readonly subdir?: string;
  /** What the commit, or an annotated tag of it, has to begin with. */
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  /** False leaves the submodules out. */
  readonly submodules?: boolean;
  /** Whether files get the time of the commit. */
  readonly mtime?: 'checkout' | 'commit';
  /** Whether the checksum is the commit, which is not looked up then. */
  readonly fetchByCommit?: boolean;
}

/** What a git source names now. */
export interface GitNamed {
  readonly commit: string;
  /** Of an annotated tag, the object that is the tag itself. */
  readonly tag?: string;
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const SCHEME = /^([a-zA-Z0-9]+):\/\//;
const SCP = /^([a-zA-Z0-9_-]+@[a-zA-Z0-9.-]+:.*?)(?:\?(.*?))?(?:#(.*))?$/;

/** Whether a source of ADD is a git repository, whatever its query says. */
export function isGitUrl(source: string): boolean {
  const scheme = SCHEME.exec(source)?.[1]?.toLowerCase();
  if (scheme === undefined) return SCP.test(source);
  if (scheme === 'http' || scheme === 'https')
    return /^[^:]+:\/\/[^/?#]+\/[^?#]*\.git(?:[?#]|$)/s.test(source);
  return scheme === 'ssh' || scheme === 'git';
}

interface Parts {
  readonly remote: string;
  readonly query: string;
  readonly fragment: string;
}

function takeApart(source: string): Parts {
  if (!SCHEME.test(source)) {
    const [, remote = source, query = '', fragment = ''] = SCP.exec(source) ?? [];
    return { remote, query, fragment };
  }
  const [, remote = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(source) ?? [];
  return { remote, query, fragment: decoded(fragment) };
}

/**
 * Splits `remote#ref:subdir`, and `remote?ref=…&tag=…&branch=…&subdir=…&commit=…&keep-git-dir=…&submodules=…&mtime=…`.
 * @throws AppError DOCKERFILE for a query that is unknown, has no such value, or says something else than the rest
 */
export function parseGitUrl(source: string): GitSource {
  const { remote, query, fragment } = takeApart(source);
  const fail = (what: string): never => {
    throw new AppError('DOCKERFILE', `the query of ${shown(source)} ${what}`, {
      hint: 'it may have ref, tag, branch, subdir, commit, keep-git-dir, submodules, mtime and fetch-by-commit',
    });
  };
  const params = new URLSearchParams(query);
  const values = (name: string): string | undefined => {
    const all = params.getAll(name);
    if (all.length > 1) fail(`has several values for ${name}`);
    return all[0];
  };
  const text = (name: string): string | undefined => {
    const value = values(name);
    return value === '' ? fail(`has no value for ${name}`) : value;
  };
  const flag = (name: string): boolean | undefined => {
    const value = values(name);
    if (value === undefined) return undefined;
    return value === '' ? true : (parseGoBool(value) ?? fail(`has the value "${value}" for ${name}`));
  };
  const same = (name: string, values: readonly (string | undefined)[]): string | undefined => {
    const [first, ...rest] = values.filter((value) => value !== undefined && value !== '');
    const other = rest.find((value) => value !== first);
    return other === undefined ? first : fail(`has another ${name} as well: "${first}" and "${other}"`);
  };
  for (const name of new Set(params.keys())) if (!QUERIES.has(name)) fail(`has an unknown part, "${name}"`);
  const cut = fragment.indexOf(':');
  const named = cut === -1 ? fragment : fragment.slice(0, cut);
  const inside = cut === -1 ? '' : relative(fragment.slice(cut + 1));
  const [tag, branch] = [prefixed('refs/tags/', text('tag')), prefixed('refs/heads/', text('branch'))];
  if (tag !== undefined && branch !== undefined) fail('has a tag and a branch');
  const mtime = text('mtime');
  if (mtime !== undefined && mtime !== 'checkout' && mtime !== 'commit')
    fail(`has the value "${mtime}" for mtime`);
  const subdir = relative(same('subdir', [inside, text('subdir')]) ?? '');
  return {
    remote,
    ...given<Partial<GitSource>>({
      ref: same('ref', [named, text('ref'), tag, branch]),
      subdir: subdir === '' ? undefined : subdir,
      checksum: same('checksum', [text('checksum'), text('commit')]),
      keepGitDir: flag('keep-git-dir'),
      submodules: flag('submodules'),
      mtime: mtime as GitSource['mtime'],
      fetchByCommit: flag('fetch-by-commit'),
    }),
  };
}

const QUERIES: ReadonlySet<string> = new Set([
  'ref',
  'tag',
  'branch',
  'subdir',
  'checksum',
  'commit',
  'keep-git-dir',
  'submodules',
  'mtime',
  'fetch-by-commit',
]);

function prefixed(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name.startsWith(prefix) ? name : prefix + name;
}

function relative(path: string): string {
  return posix.join('/', path).replace(/^\/|\/$/g, '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * What a git source names now, by one `git ls-remote`.
 * @throws AppError DOCKERFILE for its query; CONTEXT when the repository cannot be asked, has no such reference, or has
 *   another commit there than the source says; the reason of the signal
 */
export async function resolveGitCommit(
  source: string,
  access: SourceAccess,
  signal?: AbortSignal,
): Promise<GitNamed> {
  const parsed = parseGitUrl(source);
  const { remote, ref = 'HEAD', checksum, fetchByCommit } = parsed;
  if (ref.startsWith('-') || remote.startsWith('-')) {
    throw new AppError('CONTEXT', `${shown(source)} names no branch, tag or commit`, {
      hint: 'write URL#branch:directory',
    });
  }
  if (COMMIT.test(ref)) return checkCommit(source, { commit: ref }, checksum);
  if (fetchByCommit === true) {
    if (checksum !== undefined && COMMIT.test(checksum)) return { commit: checksum };
    throw new AppError('CONTEXT', `${shown(source)} is to be fetched by a commit that it does not name`, {
      hint: 'write the whole commit as commit=…',
    });
  }
  const partial = `refs/${ref.replace(/^refs\//, '')}`;
  const head = `refs/heads/${ref.replace(/^refs\/heads\//, '')}`;
  const tag = `refs/tags/${ref.replace(/^refs\/tags\//, '')}`;
  const out = await withGit(remote, access, (git) =>
    must(git, ['ls-remote', '--', gitAddress(remote), ref, `${ref}^{}`], source, signal),
  );
  const found = new Map(out.split('\n').map((line) => line.split('\t').reverse() as [string, string]));
  const names = [...(ref === 'HEAD' ? [ref] : []), head, `${tag}^{}`, tag, partial];
  const commit = names.map((name) => found.get(name)).find((each) => each !== undefined);
  const object = found.get(head) === undefined && ref !== 'HEAD' ? found.get(tag) : undefined;
  if (commit !== undefined) {
    const named = { commit, ...(object === undefined || object === commit ? {} : { tag: object }) };
    return checkCommit(source, named, checksum);
  }
  throw new AppError('CONTEXT', `${shown(source)} has no branch or tag "${ref}"`, {
    where: { url: shown(source) },
  });
}

/**
 * @returns the same
 * @throws AppError CONTEXT when neither commit nor tag begins with the checksum
 */
export function checkCommit(source: string, named: GitNamed, checksum: string | undefined): GitNamed {
  if (checksum === undefined) return named;
  if (!/^[0-9a-f]+$/i.test(checksum))
    throw new AppError('DOCKERFILE', `the checksum "${checksum}" of a git source is no commit`, {
      hint: 'write the commit, or its beginning, in hex digits',
    });
  if (named.commit.startsWith(checksum) || named.tag?.startsWith(checksum)) return named;
  throw new AppError('CONTEXT', `${shown(source)} is at commit ${named.commit}, not at ${checksum}`, {
    where: { url: shown(source) },
    hint: 'update the checksum, or name the commit as reference',
  });
}

function tooManyFiles(source: string): AppError {
  return new AppError('CONTEXT', `${shown(source)} has more than ${GIT_FILES.toLocaleString('en')} files`, {
    where: { url: shown(source) },
    hint: 'so many are not checked out; fetch what is needed of them in a RUN',
  });
}

export interface GitCheckout {
  /** Whether `.git` is among the files. */
  readonly keepGitDir: boolean;
  readonly access: SourceAccess;
  readonly signal?: AbortSignal;
}

/**
 * Checks a commit of a git source out into an empty directory, submodules included unless the source says otherwise.
 * @throws AppError CONTEXT, of names that are too long for this machine as well; the reason of the signal
 */
export async function checkoutGit(
  source: string,
  commit: string,
  target: string,
  { keepGitDir, access, signal }: GitCheckout,
): Promise<void> {
  const { remote, ref, subdir, submodules, mtime } = parseGitUrl(source);
  const work = await mkdtemp(`${target}-git-`);
  try {
    await withGit(remote, access, async (git) => {
      const at = (...args: string[]): Promise<string> => must(git, ['-C', work, ...args], source, signal);
      await at('init', '-q', ...(commit.length === 64 ? ['--object-format=sha256'] : []));
      await at('remote', 'add', 'origin', gitAddress(remote));
      try {
        await at('fetch', '--progress', '--depth=1', 'origin', commit);
      } catch {
        signal?.throwIfAborted();
        // Servers may refuse to give a bare commit; then the reference is fetched whole.
        const all = '+refs/heads/*:refs/remotes/origin/*';
        await at('fetch', '--progress', 'origin', ref !== undefined && !COMMIT.test(ref) ? ref : all);
      }
      const files = createFileCount(git, { signal });
      if (await files.exceeds(work, commit)) throw tooManyFiles(source);
      await at('checkout', '-q', '--detach', commit);
      if (submodules !== false)
        await updateSubmodules(work, {
          attempt: (args) => git.run(args, signal === undefined ? {} : { signal }),
          errorOf: (result) => failure(result, source),
          files,
          code: 'CONTEXT',
          levels: Number.POSITIVE_INFINITY,
          depth: 1,
          onUnnamed: (path, reason) => {
            throw new AppError(
              'CONTEXT',
              `${shown(source)} has a submodule ${path} that cannot be read: ${reason}`,
              {
                where: { url: shown(source) },
                hint: 'leave submodules out with ?submodules=false',
              },
            );
          },
          onMissing: (_, error) => {
            throw error;
          },
        });
      if (mtime === 'commit') setTimes(work, Number(await at('log', '-1', '--format=%ct', commit)));
    });
    if (!keepGitDir) removeTree(join(work, '.git'));
    if (subdir !== undefined && !isDirectory(work, subdir)) {
      throw new AppError('CONTEXT', `${shown(source)} has no directory "${subdir}"`, {
        where: { url: shown(source) },
      });
    }
    const from = join(work, subdir ?? '');
    await mkdir(target, { recursive: true });
    // It lies beside the target, on the same file system.
    for (const name of listNames(from)) await rename(fsPath(join(from, name)), fsPath(join(target, name)));
  } finally {
    removeTree(work);
  }
}

/** A directory that is reached without a link, as BuildKit has it. */
function isDirectory(root: string, path: string): boolean {
  return withBeneath(createBeneath(sharedSyscalls()), root, (directory) => {
    try {
      return directory.lstat(path, { links: 'none' })?.isDirectory() === true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ELOOP') return false;
      throw error;
    }
  });
}

/** The time of all that is in a directory, seconds since the epoch. Nothing works in it any more. */
function setTimes(directory: string, time: number): void {
  for (const name of listNames(directory)) {
    const path = join(directory, name);
    if (lstatSync(fsPath(path)).isDirectory()) setTimes(path, time);
    lutimesSync(fsPath(path), time, time);
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
  const result = await git.run(args, signal === undefined ? {} : { signal });
  if (result.code === 0) return result.stdout;
  throw failure(result, source);
}

function failure({ code, messages }: GitResult, source: string): AppError {
  const missing = code === GIT_MISSING;
  const reason = missing ? 'git is not installed' : gitReason(messages);
  const hint = missing ? 'install git' : hintFor(messages, source);
  return new AppError('CONTEXT', `cannot read ${shown(source)}: ${shown(reason)}`, {
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
