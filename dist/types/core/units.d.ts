/** Bytes for people, in decimal units: 950 B, 1.2 kB, 34 MB. */
export declare function formatBytes(bytes: number): string;
/** Milliseconds for people: 340 ms, 2.4 s, 3 min 12 s. */
export declare function formatDuration(ms: number): string;
