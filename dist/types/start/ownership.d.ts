import type { Emit } from '../core/events.ts';
import type { Workspace } from '../workspace/types.ts';
import type { Account } from './account.ts';
/**
 * Gives a fresh clone, or the folder that was made for one, and the home directory to the user. What cannot be given away
 * is a warning: the user may be able to work all the same.
 */
export declare function giveToUser(account: Account, { folder, state }: Pick<Workspace, 'folder' | 'state'>, { root, emit }: {
    readonly root: string;
    readonly emit: Emit;
}): Promise<void>;
