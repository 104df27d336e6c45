import type { Guard } from './handler.ts';
import { type PasswordChecks } from './password-checks.ts';
/** A guard that has threads of its own. */
export interface HtpasswdGuard {
    readonly guard: Guard;
    close(): Promise<void>;
}
/**
 * Lets those in whom an htpasswd file names with a bcrypt hash (`htpasswd -B`). The file is read again when it changes;
 * where it cannot be read any more, what it said last counts. A login that was right before is let in at once, whatever
 * others ask; all others wait for bcrypt, which takes as long for somebody who is not in the file.
 * @throws AppError USAGE when the file cannot be read or holds other hashes
 */
export declare function createHtpasswdGuard(path: string, checks?: PasswordChecks): HtpasswdGuard;
