import { type IgnoreMatcher } from './ignore-matcher.ts';
/**
 * The patterns of an ignore file in order (Docker's documentation, ".dockerignore files"): lines that start with `#` are
 * comments, white space around a pattern does not count, paths are cleaned and a leading `/` means nothing.
 */
export declare function parseDockerignore(text: string): string[];
/**
 * The ignore rules of a build: `<Dockerfile>.dockerignore` beside the Dockerfile when it exists, else `.dockerignore` of
 * the context. undefined when there is neither.
 * @param dockerfilePath left out for a named context, which has no Dockerfile
 * @throws AppError CONTEXT when the file cannot be read or has a malformed pattern
 */
export declare function loadIgnore(contextDir: string, dockerfilePath?: string): IgnoreMatcher | undefined;
