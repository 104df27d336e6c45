/** `path` made absolute against a working directory and cleaned; a trailing slash (or `/.`) stays as one slash. */
export declare function joinImagePath(workdir: string, path: string): string;
/** As joinImagePath, without the trailing slash. */
export declare function imageDirectory(workdir: string, path: string): string;
