/** A file without a name: only who inherits its descriptor can read it, and nobody finds it afterwards. */
export interface UnnamedFile {
    readonly fd: number;
    /** All that is in it now. */
    read(): string;
    close(): void;
}
/**
 * Writes text where no directory lists it, in memory where the machine has a tmpfs for that. It needs no clean-up: when we
 * are killed, the kernel frees it with the last descriptor.
 */
export declare function createUnnamedFile(text: string): UnnamedFile;
