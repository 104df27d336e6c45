/** Go's path.Clean: the shortest equal path, `.` for an empty one, no trailing slash. */
export declare function cleanPath(path: string): string;
