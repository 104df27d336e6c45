/**
 * Begins the reason of the one skip that CI allows: without Go, and without a program that was made with it, there is no
 * cluster. Every other skip counts as a failure there.
 */
export const NO_CLUSTER = 'no cluster';

/**
 * How many tests were skipped for that reason.
 * @param tap what node's reporter of that name printed
 */
export function allowedSkips(tap: string): number {
  return tap.match(new RegExp(`^ *ok \\d+ .* # SKIP ${NO_CLUSTER}: `, 'gm'))?.length ?? 0;
}
