import { AppError } from '../core/error.ts';
import { homeOf, type Identity, lookupUser, passwdEntry } from '../rootfs/users.ts';

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
export function findAccount(root: string, user: string, why: string): Account {
  let identity: Identity;
  try {
    // Root is root, even in an image that has no /etc/passwd.
    identity = lookupUser(root, user === 'root' ? '' : user);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'BUILD_FAILED') throw error;
    throw new AppError('START_FAILED', `${error.message} (${why})`, {
      cause: error,
      hint: 'create the user in the Dockerfile, or name one that the image has',
    });
  }
  const { uid } = identity;
  const entry = passwdEntry(root, uid);
  return {
    ...identity,
    name: untilNul(entry?.name ?? (uid === 0 ? 'root' : String(uid))),
    home: untilNul(homeOf(root, uid)),
    shell: untilNul(entry?.shell ?? '') || '/bin/sh',
  };
}

/** As programs in C read it. */
function untilNul(text: string): string {
  return text.split('\0')[0]!;
}
