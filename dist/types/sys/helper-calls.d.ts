import { type RunList } from './call-list.ts';
/** The system calls that only the helper of RUNs needs. Each throws as those of Syscalls do. */
export interface HelperCalls {
    /** The two ends of a pipe, closed over execve(2). */
    pipe(): {
        readonly read: number;
        readonly write: number;
    };
    /** Makes an open directory the calling thread's root and working directory. */
    changeRoot(fd: number): void;
    /** Starts a process. */
    readonly runList: RunList;
    /** How a child ended; undefined while it runs. A child's end is told once. */
    endOf(pid: number): ChildEnd | undefined;
}
/** An exit code, or the number of the signal that ended it. */
export type ChildEnd = {
    readonly code: number;
} | {
    readonly signal: number;
};
/** Loaded by whoever calls this. */
export declare function createHelperCalls(): HelperCalls;
