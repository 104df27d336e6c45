/**
 * Deletes a file or a directory with all that is in it, for as long as there is time. No symlink is followed.
 * @param deadline as performance.now tells the time
 * @returns whether nothing is left
 */
export declare function removeTreeUntil(path: string, deadline: number): boolean;
