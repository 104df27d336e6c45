/** Bytes from a size such as `64m`, `1.5GiB`, `100`: units are powers of 1024. Undefined when it is none. */
export declare function parseSize(text: string): number | undefined;
/** A boolean as Go's strconv.ParseBool reads it. */
export declare function parseGoBool(text: string): boolean | undefined;
/** An unsigned 32-bit number in a base of 8 or 10. */
export declare function parseUnsigned(text: string, base: 8 | 10): number | undefined;
/** The fields of one line of comma-separated values (RFC 4180); undefined when its quotes do not match. */
export declare function csvFields(text: string): string[] | undefined;
/** Nanoseconds from a duration such as `1m30s`, `500ms`, `1.5h`, as Go's time.ParseDuration reads it. */
export declare function parseDuration(text: string): number | undefined;
