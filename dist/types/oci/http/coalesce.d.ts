/**
 * Joins chunks until there are at least `minimum` bytes, so that what follows runs once per large chunk, not once per
 * network packet. Chunks that are large enough pass as they are.
 */
export declare function coalesce(chunks: AsyncIterable<Buffer>, minimum: number): AsyncGenerator<Buffer, void>;
