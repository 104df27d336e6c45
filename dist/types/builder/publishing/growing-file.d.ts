/** A file that is read while it is written. */
export interface GrowingFile {
    /** So many more bytes are in the file. */
    grew(bytes: number): void;
    /** The file is whole and right, and all of it may be read. */
    complete(): void;
    /** It will not be whole; whoever reads it gets this error. */
    fail(error: unknown): void;
    /** Its bytes from `offset` on. Nobody gets the last one before the file is complete. */
    read(offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void>;
}
/** @param size how long the file will be */
export declare function createGrowingFile(path: string, size: number): GrowingFile;
