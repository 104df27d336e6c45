import { createGit, type Git } from '../context/git/git.ts';
import { type GitUrl, parseGitUrl, withSshUser } from '../context/git/git-url.ts';
import { updateSubmodules } from '../context/git/submodules.ts';
import type { GitResult, GitSettings, HttpLogin } from '../context/git/types.ts';
import { AppError, type ErrorCode, toAppError } from '../core/error.ts';
import { formatBytes } from '../core/units.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import { createBeneath, withBeneath } from '../sys/beneath.ts';
import { readOwnFile } from '../sys/regular-file.ts';
import { sharedSyscalls } from '../sys/syscalls.ts';
import { cloneArguments, type GitTarget, targetOf } from './reference.ts';
import { createRunner, type GitRunner } from './runner.ts';
import type { CloneRequest, WorkspaceDeps } from './types.ts';

/** Bytes of a pointer of git-lfs, by its specification. */
const LARGEST_POINTER = 1024;
/** A start does not read more than so many of them. */
const MOST_POINTERS = 10_000;

/**
 * Clones a repository into a directory that does not exist yet, submodules included, and checks out what the URL asks for.
 * Nothing secret is in the result.
 * @param lock a descriptor that is held open until the last process of git has ended
 * @returns the commit that is checked out; undefined for a repository without commits
 * @throws AppError WORKSPACE, AUTH, USAGE, DISK_FULL
 */
export async function cloneInto(
  directory: string,
  request: CloneRequest,
  deps: WorkspaceDeps,
  lock?: number,
): Promise<string | undefined> {
  const url = addressOf(request);
  const settings = settingsOf(request, url);
  for (const secret of [settings.login?.password, settings.ssh.key])
    if (secret !== undefined) deps.addSecret(secret);
  if (settings.login?.password === '') deps.addSecret(settings.login.username);
  const git = createGit({ ...settings, ...(lock === undefined ? {} : { holds: lock }) });
  const shown = maskUrlCredentials(url.remote);
  const say = (text: string): void => deps.emit({ type: 'message', level: 'info', text });
  try {
    say(`cloning ${shown}${url.fragment === undefined ? '' : `, ${url.fragment}`}`);
    const runner = createRunner(git, url, request, deps);
    await fetchAndCheckOut(runner, url, directory, request);
    await checkOutSubmodules(runner, directory, request);
    logHosts(git, deps);
    await warnOfPointers(runner, directory);
    const commit = await headOf(git, directory, deps.signal);
    say(`cloned ${shown}: ${await describeHead(runner, directory, commit)}`);
    return commit;
  } finally {
    git.close();
  }
}

/** What HEAD of a clone is; undefined when there is no commit or no readable repository. */
export async function headOf(
  git: Pick<Git, 'run'>,
  directory: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { code, stdout }: GitResult = await git.run(['rev-parse', '--verify', '-q', 'HEAD'], {
    cwd: directory,
    signal,
  });
  return code === 0 ? stdout.trim() : undefined;
}

/** @throws AppError USAGE */
function addressOf({ url, credentials }: CloneRequest): GitUrl {
  const parsed = parseGitUrl(url);
  if (parsed === undefined) {
    throw new AppError('USAGE', `"${maskUrlCredentials(url)}" is not the address of a git repository`, {
      hint: 'write https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH or file:///PATH',
    });
  }
  if (parsed.transport !== 'ssh') return parsed;
  const user = credentials.username || parsed.user || 'git';
  return { ...parsed, user, remote: withSshUser(parsed, user) };
}

function settingsOf({ credentials, network, git }: CloneRequest, url: GitUrl): GitSettings {
  const login = loginFor(credentials, url);
  const key = url.transport === 'ssh' ? privateKey(credentials) : undefined;
  return {
    ...git,
    ...(login === undefined ? {} : { login }),
    ssh: {
      knownHosts: credentials.sshKnownHosts,
      ...(key === undefined ? {} : { key }),
      ...(credentials.sshAgent === undefined ? {} : { agent: credentials.sshAgent }),
    },
    insecure: network.insecure,
    ...(network.extraCaPem === undefined ? {} : { extraCaPem: network.extraCaPem }),
    ...(network.proxyUrl === undefined ? {} : { proxyUrl: network.proxyUrl }),
    proxy: network.proxy,
    localSubmodules: url.transport === 'local',
  };
}

function privateKey({ sshKey, sshKeyFile }: CloneRequest['credentials']): string | undefined {
  if (sshKeyFile === undefined) return sshKey;
  try {
    return readOwnFile(sshKeyFile).toString('utf8');
  } catch (error) {
    throw toAppError(error, 'WORKSPACE', `cannot read the SSH key ${sshKeyFile}`, {
      hint: 'check ENVBUILDER_GIT_SSH_PRIVATE_KEY_PATH, and that the file is mounted into the container',
    });
  }
}

/** Stands for the user of a token: Bitbucket asks for this name, others for any; git sends no login without one. */
const TOKEN_USER = 'x-token-auth';

function loginFor({ username, password }: CloneRequest['credentials'], url: GitUrl): HttpLogin | undefined {
  if (url.origin === undefined || (!username && !password)) return url.login;
  const line = (text = ''): string => text.replace(/[\r\n]+$/, '');
  const name = line(username) || TOKEN_USER;
  const login = { origin: url.origin, username: name, password: line(password) };
  if (!/[\r\n\0]/.test(login.username + login.password)) return login;
  throw new AppError('USAGE', 'the git user name or password has more than one line', {
    hint: 'check ENVBUILDER_GIT_USERNAME and ENVBUILDER_GIT_PASSWORD',
  });
}

async function fetchAndCheckOut(
  runner: GitRunner,
  url: GitUrl,
  directory: string,
  request: CloneRequest,
): Promise<void> {
  const target = targetOf(url.fragment);
  await runner.retried(
    ['clone', '--progress', ...cloneArguments(target, request), '--', url.remote, directory],
    {
      clears: directory,
    },
  );
  const checkOut = async (commit: string, ...how: string[]): Promise<void> => {
    await runner.allowed(directory, commit);
    await runner.must(['-C', directory, 'checkout', '-q', ...how]);
  };
  if (target.type === 'ref') {
    await runner.retried([
      '-C',
      directory,
      'fetch',
      '--progress',
      ...depthOf(request),
      'origin',
      target.name,
    ]);
    await checkOut('FETCH_HEAD', '--detach', 'FETCH_HEAD');
  } else if (target.type === 'tag') {
    await checkOut(`refs/tags/${target.name}`, '--detach', `refs/tags/${target.name}`);
  } else if (target.type === 'commit') {
    await fetchCommit(runner, directory, target, request);
    await checkOut(target.name, '--detach', target.name);
  } else if ((await runner.attempt(['-C', directory, 'rev-parse', '--verify', '-q', 'HEAD'])).code === 0) {
    await checkOut('HEAD');
  }
}

/** One that cannot be had is an error where levels of submodules were asked for, and else a warning. */
async function checkOutSubmodules(
  { attempt, errorOf, files, emit }: GitRunner,
  directory: string,
  { submodules, depth }: CloneRequest,
): Promise<void> {
  const leaveOut = (code: ErrorCode, path: string, reason: string, hint: string): void =>
    emit({ type: 'warning', code, text: `the submodule ${path} is left out: ${reason}`, hint });
  await updateSubmodules(directory, {
    attempt,
    errorOf,
    files,
    code: 'WORKSPACE',
    levels: submodules ?? Number.POSITIVE_INFINITY,
    ...(depth === undefined ? {} : { depth }),
    onUnnamed: (path, reason) =>
      leaveOut(
        'WORKSPACE',
        path,
        reason,
        'rename it, or check it out in the workspace: git submodule update --init',
      ),
    onMissing: (path, error) => {
      if (submodules !== undefined) throw error;
      leaveOut(
        error.code,
        path,
        error.message,
        'credentials are only sent to the server of the repository itself; ENVBUILDER_GIT_CLONE_SUBMODULES=0 leaves submodules alone',
      );
    },
  });
}

async function fetchCommit(
  runner: GitRunner,
  directory: string,
  { name }: GitTarget,
  request: CloneRequest,
): Promise<void> {
  const at = ['-C', directory];
  const has = async (): Promise<boolean> =>
    (await runner.attempt([...at, 'cat-file', '-e', `${name}^{commit}`])).code === 0;
  if (!(await has()))
    await runner.attempt([...at, 'fetch', '--progress', ...depthOf(request), 'origin', name]);
  if (await has()) return;
  // Some servers give out no bare commit: then it is looked for in the history of all branches.
  const deepen = request.depth === undefined ? [] : ['--unshallow'];
  await runner.attempt([
    ...at,
    'fetch',
    '--progress',
    ...deepen,
    'origin',
    '+refs/heads/*:refs/remotes/origin/*',
  ]);
}

const depthOf = ({ depth }: CloneRequest): string[] => (depth === undefined ? [] : [`--depth=${depth}`]);

/** What is checked out, for people. */
async function describeHead(
  runner: GitRunner,
  directory: string,
  commit: string | undefined,
): Promise<string> {
  const { code, stdout } = await runner.attempt(['-C', directory, 'symbolic-ref', '-q', '--short', 'HEAD']);
  const place = code === 0 ? `the branch ${stdout.trim()} at ` : '';
  return commit === undefined ? 'there is no commit' : `${place}${commit}`;
}

/** Of files that git-lfs keeps, a clone has what points to them, since git knows nothing of it here. */
async function warnOfPointers(runner: GitRunner, directory: string): Promise<void> {
  const { code, stdout } = await runner.attempt([
    '-C',
    directory,
    'ls-files',
    '-z',
    '--',
    ':(attr:filter=lfs)',
  ]);
  const paths = code === 0 ? stdout.split('\0').filter(Boolean) : [];
  if (paths.length === 0) return;
  const more = paths.length > 3 ? `, and ${paths.length - 3} more` : '';
  const bytes = sizeOf(directory, paths);
  const size = bytes > 0 ? ` (${formatBytes(bytes)} in all)` : '';
  runner.emit({
    type: 'warning',
    code: 'WORKSPACE',
    text: `git-lfs keeps the content of ${paths.slice(0, 3).join(', ')}${more}${size}: the clone has pointers in their place`,
    hint: 'have the image bring git-lfs, and run "git lfs install --local && git lfs pull" in the workspace, as in postCreateCommand; a build that copies these files copies the pointers',
  });
}

/** What pointers say of the content that they stand for, in bytes. */
function sizeOf(directory: string, paths: readonly string[]): number {
  return withBeneath(createBeneath(sharedSyscalls()), directory, (clone) => {
    const sizes = paths.slice(0, MOST_POINTERS).map((path) => {
      try {
        const text = clone.readFile(path, { limit: LARGEST_POINTER, links: 'none' }).toString('latin1');
        return Number(/^size (\d{1,15})$/m.exec(text)?.[1] ?? 0);
      } catch {
        // Larger than a pointer, gone, or a link: then it says nothing.
        return 0;
      }
    });
    return sizes.reduce((sum, size) => sum + size, 0);
  });
}

function logHosts(git: Git, { emit }: WorkspaceDeps): void {
  const hosts = git.acceptedHosts();
  for (const line of hosts)
    emit({ type: 'message', level: 'info', text: `accepted the SSH host key ${line}` });
  if (hosts.length === 0) return;
  emit({
    type: 'warning',
    code: 'WORKSPACE',
    text: 'SSH host keys are not checked',
    hint: 'set SSH_KNOWN_HOSTS to a file with the keys above to have them checked',
  });
}
