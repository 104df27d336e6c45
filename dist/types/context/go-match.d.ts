/**
 * Go's filepath.Match on Linux: `*` and `?` match anything but `/`, `[a-z]` and `[^a-z]` are character classes (which may match
 * a `/`), a backslash takes the next character literally. The whole name has to match.
 * @throws AppError CONTEXT for a malformed pattern, whether or not the name matches up to the mistake
 */
export declare function goMatch(pattern: string, name: string): boolean;
/** goMatch for one pattern and many names. @throws AppError CONTEXT for a malformed pattern */
export declare function createGoMatcher(pattern: string): (name: string) => boolean;
/** Whether a path holds a character that goMatch treats specially; an escaped one does not count. */
export declare function hasWildcards(path: string): boolean;
