/** A file that was written this shortly before it was read may be written again within the same tick of its clock. */
export declare const RACY_SECONDS = 2;
/** The text of a memo, header line included; '' when there is none, it cannot be read, or it has another header. */
export declare function readMemoFile(file: string, header: string): string;
/** Replaces a memo, whole or not at all; one that cannot be written stays as it was. */
export declare function writeMemoFile(file: string, header: string, lines: readonly string[]): void;
