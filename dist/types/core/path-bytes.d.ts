/** The path string for raw bytes. */
export declare function decodePath(bytes: Buffer): string;
/** The raw bytes of a path string; the inverse of decodePath. */
export declare function encodePath(path: string): Buffer;
/** What to hand to node:fs for a path string: itself when it is ordinary, else its bytes. */
export declare function fsPath(path: string): string | Buffer;
/** Orders path strings by their bytes, as every canonical list here is sorted. */
export declare function comparePaths(a: string, b: string): number;
