import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { constants, userInfo } from 'node:os';
import type { Readable, Writable } from 'node:stream';

/**
 * Namespaces of processes, of names and of shared memory are those that a RUN leaves and comes back to, so they must belong
 * to the user namespace (setns(2)).
 */
const OWN = ['--user', '--mount', '--uts', '--ipc', '--pid', '--mount-proc', '--fork'];
/** All inside ends with `unshare`, and that with us. */
const UNSHARE = ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...OWN, '--kill-child'];
/**
 * The kernel forgets the wish of `unshare` when the first process inside gets the rights of root, which it has from the
 * command that it becomes once its ids are mapped; so it wishes it again after that.
 */
const END_WITH_UNSHARE = ['setpriv', '--pdeathsig', 'KILL'];
/** All inside goes on without us. */
const UNSHARE_FOR_GOOD = ['unshare', ...OWN];
/** Whoever is not root inside by their own id becomes so with the rights of the maker of the namespace. */
const BECOME_ROOT = ['setpriv', '--reuid=0', '--regid=0', '--clear-groups', '--inh-caps=-all'];
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Tells that the namespace is there, waits until its ids are mapped, and becomes the command. What setpriv and unshare say
 * where there can be none is not for the user, so only the command has our standard error.
 */
const INNER = 'exec 2>&5 5>&-; echo >&4; exec 4>&-; read -r _ <&3 || exit 125; exec 3<&-; exec "$@"';

/** A range of ids as /etc/subuid gives them out (subuid(5)). */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/** The subordinate ids of a user, from the text of /etc/subuid or /etc/subgid. */
export function subordinateIds(
  text: string,
  user: { readonly name: string; readonly uid: number },
): readonly IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [, owner, start, count] = /^([^:#]+):(\d+):(\d+)$/.exec(line.trim()) ?? [];
    if (owner !== user.name && owner !== String(user.uid)) return [];
    return Number(count) > 0 ? [{ start: Number(start), count: Number(count) }] : [];
  });
}

/**
 * The lines of a map: our own id is `inside` there, root unless something else is said, and the subordinate ones are all
 * others in their order.
 */
export function idMap(own: number, ranges: readonly IdRange[], inside = 0): readonly string[] {
  const lines: string[] = [];
  let at = 0;
  const add = (start: number, count: number): void => {
    if (count > 0) lines.push(String(at), String(start), String(count));
    at += count;
  };
  for (const { start, count } of ranges) {
    const before = at <= inside ? Math.min(count, inside - at) : count;
    add(start, before);
    if (at === inside) add(own, 1);
    add(start + before, count - before);
  }
  if (at <= inside) lines.push(String(inside), String(own), '1');
  return lines;
}

/** Which ids the ordinary user has inside of a namespace. */
export interface OwnIds {
  readonly uid: number;
  readonly gid: number;
}

export const ROOT_IDS: OwnIds = { uid: 0, gid: 0 };

/** A process that waits inside of a new user namespace until it is let go. */
export interface NamespaceProcess {
  readonly child: ChildProcess;
  /** The first process inside, as it is numbered outside. */
  readonly inside: number | undefined;
  readonly exited: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  /** Lets it become the command. */
  readonly go: () => void;
}

export interface NamespaceOptions {
  /** Told when there are no subordinate ids. */
  readonly warn: (text: string) => void;
  readonly ids?: OwnIds;
  /** Whether it goes on when we have ended. */
  readonly forGood?: boolean;
  /** Standard input, output and error of the command, and its descriptors from 6 on. */
  readonly streams: readonly [StdioSlot, StdioSlot, StdioSlot, ...StdioSlot[]];
  readonly env?: NodeJS.ProcessEnv;
}

type StdioSlot = 'inherit' | 'ignore' | 'pipe' | 'ipc' | number;

/**
 * Makes a user namespace for a command, which is root in it: with the subordinate ids that the machine has given to the
 * user, else with the own id alone. With it come namespaces of mounts, names, shared memory and processes.
 * @returns undefined when there can be no such namespace, and nothing was run
 */
export async function startInUserNamespace(
  command: readonly string[],
  { warn, ids = ROOT_IDS, forGood = false, streams, env = process.env }: NamespaceOptions,
): Promise<NamespaceProcess | undefined> {
  const isRoot = ids.uid === 0 && ids.gid === 0;
  const [program = '', ...rest] = [
    ...(forGood ? UNSHARE_FOR_GOOD : UNSHARE),
    ...(isRoot ? [] : ['--keep-caps']),
    ...['/bin/sh', '-c', INNER, 'sh', ...(isRoot ? [] : BECOME_ROOT)],
    ...(forGood ? [] : END_WITH_UNSHARE),
    ...command,
  ];
  const [stdin, stdout, stderr, ...more] = streams;
  const child = spawn(program, rest, {
    env,
    detached: forGood,
    stdio: [stdin, stdout, 'ignore', 'pipe', 'pipe', stderr === 'inherit' ? 2 : stderr, ...more],
  });
  // It ends with an error where there is no such program.
  const exited = once(child, 'exit').catch(() => [1, null]) as NamespaceProcess['exited'];
  const [, , , go, ready] = child.stdio as unknown as [null, null, null, Writable, Readable];
  go.on('error', () => {});
  const isThere = await Promise.race([once(ready, 'data').then(() => true), exited.then(() => false)]);
  if (!isThere) {
    for (const pipe of [go, ready]) pipe.destroy();
    return undefined;
  }
  const one = mapIds(child.pid!, ids);
  if (one !== undefined) warn(one);
  const inside = firstChild(child.pid!);
  return { child, inside, exited, go: () => void go.end('\n') };
}

/**
 * Runs this very program again as root of a user namespace, for an ordinary user: with the subordinate ids that the machine
 * has given to the user, else with the own id alone. Streams, terminal and signals are ours.
 * @param warn told when there are no subordinate ids
 * @returns how it ended, as an exit code; undefined when there can be no such namespace, and nothing was run
 */
export async function runInUserNamespace(warn: (text: string) => void): Promise<number | undefined> {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const started = await startInUserNamespace(command, { warn, streams: ['inherit', 'inherit', 'inherit'] });
  if (started === undefined) return undefined;
  const { inside, exited, go } = started;
  for (const signal of PASSED_ON) process.on(signal, () => inside && process.kill(inside, signal));
  go();
  const [code, signal] = await exited;
  return code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15);
}

function canMakeNamespace(): boolean {
  return spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true'], { stdio: 'ignore' }).status === 0;
}

/** Whether this ordinary user can have other ids than the own one inside of a namespace, and be another one than root there. */
export function hasSubordinateIds(): boolean {
  const { uids, gids } = ownSubordinateIds();
  const isInstalled = (program: string): boolean => !spawnSync(program, [], { stdio: 'ignore' }).error;
  return uids.length > 0 && gids.length > 0 && isInstalled('newuidmap') && isInstalled('newgidmap');
}

function ownSubordinateIds(): { readonly uids: readonly IdRange[]; readonly gids: readonly IdRange[] } {
  const { username: name, uid } = userInfo();
  return {
    uids: subordinateIds(read('/etc/subuid'), { name, uid }),
    gids: subordinateIds(read('/etc/subgid'), { name, uid }),
  };
}

/** @returns why there is one id alone; undefined where there are more */
function mapIds(pid: number, { uid: insideUid, gid: insideGid }: OwnIds): string | undefined {
  const { username: name, uid, gid } = userInfo();
  const { uids, gids } = ownSubordinateIds();
  const done =
    uids.length > 0 &&
    gids.length > 0 &&
    runs('newuidmap', [String(pid), ...idMap(uid, uids, insideUid)]) &&
    runs('newgidmap', [String(pid), ...idMap(gid, gids, insideGid)]);
  if (done) return undefined;
  writeFileSync(`/proc/${pid}/setgroups`, 'deny');
  writeFileSync(`/proc/${pid}/uid_map`, `${insideUid} ${uid} 1\n`);
  writeFileSync(`/proc/${pid}/gid_map`, `${insideGid} ${gid} 1\n`);
  return uids.length > 0 && gids.length > 0
    ? 'newuidmap and newgidmap are missing or refuse; install the package uidmap'
    : `the user ${name} has no subordinate ids; add them with usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name}`;
}

/** The first child of a process. */
export function firstChild(pid: number): number | undefined {
  return Number(read(`/proc/${pid}/task/${pid}/children`).trim().split(' ')[0]) || undefined;
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/**
 * What keeps an ordinary user from a namespace, as far as the kernel's settings tell it, and what to do.
 * @param value of a setting below /proc/sys; empty where there is none
 */
export function whyNoNamespace(value: (setting: string) => string = readSetting): {
  readonly why: string;
  readonly hint: string;
} {
  if (value('user/max_user_namespaces') === '0')
    return { why: 'this machine allows no user namespaces', hint: 'sysctl user.max_user_namespaces=15000' };
  if (value('kernel/unprivileged_userns_clone') === '0')
    return {
      why: 'this machine allows user namespaces to root alone',
      hint: 'sysctl kernel.unprivileged_userns_clone=1',
    };
  if (value('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return {
      why: 'AppArmor allows user namespaces to programs with a profile alone',
      hint: 'sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile with "userns," for this program',
    };
  if (['setpriv', 'unshare'].some((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0))
    return { why: 'the program unshare or setpriv is missing', hint: 'install the package util-linux' };
  if (canMakeNamespace())
    return {
      why: 'it is in no user namespace',
      hint: 'a program calls runAsRoot() of the library before anything else; or run it as root (sudo)',
    };
  return {
    why: 'the kernel or the container refuses user namespaces',
    hint: 'run envbuilder as root (sudo)',
  };
}

function readSetting(name: string): string {
  return read(`/proc/sys/${name}`).trim();
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
