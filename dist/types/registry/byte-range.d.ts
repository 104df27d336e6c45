/** A part of a body; `end` is inclusive. */
export interface Part {
    readonly start: number;
    readonly end: number;
}
/**
 * Reads a Range header (RFC 9110, section 14.2) for a body of `size` bytes: a part, 'whole' where the header is absent or
 * to be ignored, 'unsatisfiable' when no byte of it is there.
 */
export declare function parseRange(header: string | undefined, size: number): Part | 'whole' | 'unsatisfiable';
