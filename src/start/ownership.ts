import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { Workspace } from '../workspace/types.ts';
import type { Account } from './account.ts';
import { chownTree } from './chown-tree.ts';

/**
 * Gives a fresh clone, or the folder that was made for one, and the home directory to the user. What cannot be given away
 * is a warning: the user may be able to work all the same.
 */
export async function giveToUser(
  account: Account,
  { folder, state }: Pick<Workspace, 'folder' | 'state'>,
  { root, emit }: { readonly root: string; readonly emit: Emit },
): Promise<void> {
  const fresh = state === 'cloned' || (state === 'empty' && isEmpty(folder));
  const home = join(root, account.home);
  // A home of / is that of a user without one.
  const paths = [...(fresh ? [folder] : []), ...(account.uid !== 0 && account.home !== '/' ? [home] : [])];
  for (const path of paths) {
    try {
      const changed = await chownTree(path, account);
      if (changed === 0) continue;
      const text = `gave ${path} to ${account.name}: ${changed} files and directories`;
      emit({ type: 'message', level: 'debug', text });
    } catch (error) {
      const { code, message } = toAppError(error, 'PERMISSION', `cannot give ${path} to ${account.name}`);
      emit({ type: 'warning', code, text: message, hint: 'change its owner where it comes from' });
    }
  }
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return false;
  }
}
