/** An argument of a system call: a number, or bytes or a null-terminated array of such, passed by their address. */
export type CallArgument = number | Uint8Array | readonly Uint8Array[];
/** A system call by its name. */
export interface ListedCall {
    readonly name: CallName;
    readonly args: readonly CallArgument[];
    /** The one errno with which it may fail; any other failure ends the process. */
    readonly mayFail?: number;
}
/** What came of a list: the process runs the program, or a call failed and it has ended. */
export type ListResult = {
    readonly pid: number;
} | {
    readonly failed: number;
    readonly error: NodeJS.ErrnoException;
};
/** @param flags of clone(2) besides those of vfork(2) */
export type RunList = (calls: readonly ListedCall[], flags: number) => ListResult;
export type CallName = keyof typeof X64;
declare const X64: {
    rt_sigaction: number;
    rt_sigprocmask: number;
    execve: number;
    chdir: number;
    setsid: number;
    setgroups: number;
    setresuid: number;
    setresgid: number;
    prctl: number;
    mount: number;
    dup3: number;
    close_range: number;
};
/**
 * Makes what starts processes. As with vfork(2), the calling thread waits until the process runs its program or has ended;
 * the process has the thread's namespaces, root, directory, descriptors and rights.
 * @returns the last call of its lists is an execve; it throws as node:fs does when there is no new process
 */
export declare function createListRunner(): RunList;
export {};
