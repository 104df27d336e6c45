/**
 * Runs `work` with a new directory in `uploads`, laid out as an upload of CNCF Distribution's, and removes it afterwards.
 * What a killed process leaves there is purged by Distribution and by purgeScratch.
 */
export declare function withScratch<T>(uploads: string, work: (scratch: string) => Promise<T>): Promise<T>;
/** Removes scratch directories in which nothing was written for a day. */
export declare function purgeScratch(uploads: string, now?: number): void;
