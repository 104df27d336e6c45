/** What has to be put right in case we are killed before we do it ourselves. */
export interface Journal {
    /** A directory is about to be moved to `at`, and belongs to `home`. */
    moved(at: string, home: string): void;
    /** Something of ours is about to be made where only the user's things are. */
    made(path: string): void;
    /** All is put right. */
    clear(): void;
}
/**
 * Opens the journal in a file. What a process that was killed left in it is put right first: its directories go home, and
 * what it made goes away.
 */
export declare function openJournal(file: string): Journal;
