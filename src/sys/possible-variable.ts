/** Bytes of `NAME=value` and its end that the kernel hands over (MAX_ARG_STRLEN of linux/binfmts.h, with pages of 4 KiB). */
const MOST_BYTES = 32 * 4096;

/** Whether a process can be given a variable: not with a NUL, which ends it, nor one that is longer than the kernel takes. */
export function isPossibleVariable(name: string, value: string): boolean {
  if (name.includes('\0') || value.includes('\0')) return false;
  return Buffer.byteLength(name) + Buffer.byteLength(value) + 2 <= MOST_BYTES;
}
