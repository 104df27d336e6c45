import type { PasswordQuestion } from './password-work.ts';
/** How many password checks may wait, and how many run at once. */
export interface CheckLimits {
    /** Threads. */
    readonly threads: number;
    /** Checks that wait, in all. */
    readonly waiting: number;
    /** Checks that wait for one address, so that nobody takes all the places. */
    readonly waitingOfOne: number;
}
/** Compares passwords with bcrypt hashes in threads of their own. */
export interface PasswordChecks {
    /**
     * Whether a password is right. Addresses take turns.
     * @param from the address that asks
     * @throws RegistryError 429 when too many checks of this address wait, 503 when too many wait in all; both say when to
     * ask again
     */
    check(question: PasswordQuestion, from: string): Promise<boolean>;
    /** Ends the threads; what waits is never answered. */
    close(): Promise<void>;
}
/** Threads are started with the first check, and do not keep the process alive. */
export declare function createPasswordChecks(limits?: CheckLimits): PasswordChecks;
