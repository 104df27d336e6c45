/** Names in a directory as path strings, in no order. @throws what readdir throws */
export declare function listNames(directory: string): string[];
