/**
 * Does work that goes as deep as its input is nested.
 * @param tooDeep is called instead of an answer when the stack does not reach; whoever wrote such input gains nothing by it
 */
export function withinStack<T>(work: () => T, tooDeep: () => T): T {
  try {
    return work();
  } catch (error) {
    // V8 has no other sign of it, and no limit of depth that would be right for every caller.
    if (error instanceof RangeError && /call stack/.test(error.message)) return tooDeep();
    throw error;
  }
}

/** How deep documents that others wrote may be nested: no configuration is, and what reads them may then recurse. */
const MOST_LEVELS = 500;

/** Whether lists and objects lie in each other deeper than any configuration is. */
export function isTooDeep(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) return true;
    level = level.flatMap((each) => (each !== null && typeof each === 'object' ? Object.values(each) : []));
  }
  return false;
}
