/** Gives the new mode of a file or directory from its old one. */
export type ChangeMode = (mode: number, isDirectory: boolean) => number;
/**
 * Reads what --chmod takes: octal digits, or symbolic changes such as `u=rwX,go-w` (POSIX.1-2017, chmod). Where POSIX
 * leaves a choice it is BuildKit's: `=` takes setuid and setgid from directories too, and the sticky bit from nothing; `X`
 * asks for the mode as it was before.
 * @throws AppError DOCKERFILE for anything else
 */
export declare function parseChmod(text: string): ChangeMode;
/**
 * The mode of the directories that a copy makes for its files: as in a Docker engine what an octal --chmod says, under
 * the umask 022 and without setuid, setgid and the sticky bit; 0755 beside a symbolic one, which has nothing to change.
 */
export declare function madeDirectoryMode(chmod: string | undefined): number;
