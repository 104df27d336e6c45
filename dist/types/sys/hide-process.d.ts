/**
 * Keeps the secrets that this process was started with from every program that it runs, root's too: its environment and
 * memory can then be read only with CAP_SYS_PTRACE, which neither a container nor a RUN has by default, and its command line
 * no longer says more than its name. Holds until execve(2); may be called twice.
 */
export declare function hideProcess(name: string): void;
