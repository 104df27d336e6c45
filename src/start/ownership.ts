import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { Workspace } from '../workspace/types.ts';
import type { Account } from './account.ts';
import { chownTree } from './chown-tree.ts';

interface Deps {
  readonly root: string;
  /** Where our program lies. */
  readonly ownDir: string;
  readonly emit: Emit;
}

/**
 * Gives the workspace and the home directory to the user. Of a workspace that was there already, and that the user could
 * not work in, only what is root's is given. What cannot be given away is a warning: the user may be able to work all the
 * same.
 */
export async function giveToUser(
  account: Account,
  workspace: Pick<Workspace, 'folder' | 'state'>,
  deps: Deps,
): Promise<void> {
  const { folder, state } = workspace;
  const fresh = state === 'cloned' || (state === 'empty' && isEmpty(folder));
  if (fresh) await give(folder, account, deps);
  else await giveFound(folder, account, deps);
  // Absolute first: what leads above the root ends there.
  const home = join(deps.root, join('/', account.home));
  if (account.uid !== 0 && isHome(home, deps)) await give(home, account, deps);
}

/** A home of / is that of a user without one, however it is written, and our program is nobody's. */
function isHome(path: string, { root, ownDir }: Deps): boolean {
  const [home, own] = [resolve(path), resolve(ownDir)];
  return home !== resolve(root) && home !== own && !home.startsWith(`${own}/`);
}

async function give(path: string, account: Account, { emit }: Deps): Promise<void> {
  try {
    const changed = await chownTree(path, account);
    if (changed === 0) return;
    const text = `gave ${path} to ${account.name}: ${changed} files and directories`;
    emit({ type: 'message', level: 'debug', text });
  } catch (error) {
    const { code, message } = cannotGive(error, path, account);
    emit({ type: 'warning', code, text: message, hint: 'change its owner where it comes from' });
  }
}

/** A folder that somebody has worked in, or that is mounted: root's where the Go program has cloned it as root. */
async function giveFound(folder: string, account: Account, { emit }: Deps): Promise<void> {
  const closed = closedTo(account, folder);
  if (!closed) return;
  const { name, uid, gid } = account;
  if (closed.uid !== 0) {
    emit({
      type: 'warning',
      code: 'PERMISSION',
      text: `${name} cannot write the workspace ${folder}, which belongs to the user ${closed.uid}`,
      hint: `change its owner to ${uid}:${gid} where it comes from, or set ENVBUILDER_INIT_USER=${closed.uid}`,
    });
    return;
  }
  try {
    const changed = await chownTree(realpathSync(folder), account, { onlyRoots: true });
    emit({
      type: 'message',
      level: 'info',
      text: `gave the workspace ${folder} to ${name}, who could not write it: ${changed} files and directories that were root's`,
    });
  } catch (error) {
    const { code, message } = cannotGive(error, folder, account);
    emit({
      type: 'warning',
      code,
      text: message,
      hint: `${name} cannot write it; change its owner to ${uid}:${gid} where it comes from, or set ENVBUILDER_INIT_USER=root`,
    });
  }
}

function cannotGive(error: unknown, path: string, { name }: Account): AppError {
  return toAppError(error, 'PERMISSION', `cannot give ${path} to ${name}`);
}

/** What of a workspace the user has to write and cannot: the folder itself, or the repository of git in it. */
function closedTo(account: Account, folder: string): Stats | undefined {
  const own = statSync(folder, { throwIfNoEntry: false });
  const git = lstatSync(join(folder, '.git'), { throwIfNoEntry: false });
  const needed = [own, git?.isDirectory() ? git : undefined];
  return needed.find((stat) => stat !== undefined && !mayWrite(stat, account));
}

/** As the mode says; an access control list shows in the bits of the group. */
function mayWrite(stat: Stats, { uid, gid, groups }: Account): boolean {
  if (uid === 0) return true;
  const inGroup = stat.gid === gid || groups.includes(stat.gid);
  const bits = stat.uid === uid ? stat.mode >> 6 : inGroup ? stat.mode >> 3 : stat.mode;
  return (bits & 0o3) === 0o3;
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}
