/**
 * Starts a process that deletes what builds that have ended left in a directory, and outlives this one. It has nothing of
 * ours: no variable, no descriptor, no terminal. Everything else goes before it.
 * @param parent an absolute path
 * @returns the number of the process; undefined when none could be started
 */
export declare function startSweep(parent: string): number | undefined;
