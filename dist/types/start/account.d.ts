import { type Identity } from '../rootfs/users.ts';
/** A user of the new root, ready to run something as. */
export interface Account extends Identity {
    /** The name, or the number where it has none. */
    readonly name: string;
    readonly home: string;
    readonly shell: string;
}
/**
 * Who a name, a number, or `user:group` is in a root; '' is root.
 * @param why says where the name comes from, for the error
 * @throws AppError START_FAILED when the root does not know the name
 */
export declare function findAccount(root: string, user: string, why: string): Account;
