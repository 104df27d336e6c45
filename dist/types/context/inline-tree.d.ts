import type { SourceTree } from './types.ts';
/**
 * A tree of one file, 0644: what a heredoc of COPY or ADD is.
 * @param mtime seconds since the epoch; Docker gives such files the time of the build
 */
export declare function createInlineTree(name: string, content: Buffer, mtime: number): SourceTree;
