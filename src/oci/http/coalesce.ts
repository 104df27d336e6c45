/**
 * Joins chunks until there are at least `minimum` bytes, so that what follows runs once per large chunk, not once per
 * network packet. Chunks that are large enough pass as they are.
 */
export async function* coalesce(
  chunks: AsyncIterable<Buffer>,
  minimum: number,
): AsyncGenerator<Buffer, void> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length < minimum) continue;
    yield parts.length === 1 ? chunk : Buffer.concat(parts, length);
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(parts, length);
}
