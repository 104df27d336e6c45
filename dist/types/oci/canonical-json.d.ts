/**
 * The one JSON text that we write for a value: no white space, fields sorted by UTF-16 code units (RFC 8785, section
 * 3.2.3) and undefined ones left out, so the same manifest or config always has the same digest.
 */
export declare function canonicalJson(value: unknown): Buffer;
