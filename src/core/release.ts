/**
 * Gives a buffer's memory back at once, where it is the buffer's alone; it is empty afterwards. V8 lets tens of megabytes
 * of garbage outside its heap pile up before it collects any. Small buffers may share theirs with others and are left.
 */
export function release({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && length > buffer.byteLength - SPARE) buffer.transfer(0);
}

/** What a buffer may leave unused of memory that is its own. */
const SPARE = 4096;
