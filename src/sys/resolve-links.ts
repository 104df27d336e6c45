/** As the kernel's own limit (path_resolution(7)). */
export const MOST_LINKS = 40;

/**
 * A path relative to a root with every symlink on the way replaced; none leads out of the root. Undefined for a loop.
 * @param linkAt the target of the symlink at a path, undefined for what is none
 */
export function resolveLinks(
  path: string,
  linkAt: (path: string) => string | undefined,
  options: {
    readonly followLast: boolean;
    /** Called for each `..` that has nothing to leave but the root. */
    readonly onLeave?: () => void;
  },
): string | undefined {
  const todo = path.split('/').filter((part) => part !== '' && part !== '.');
  let at: string[] = [];
  let links = 0;
  while (todo.length > 0) {
    const part = todo.shift()!;
    if (part === '..') {
      if (at.length === 0) options.onLeave?.();
      at = at.slice(0, -1);
      continue;
    }
    const last = todo.length === 0;
    const target = last && !options.followLast ? undefined : linkAt([...at, part].join('/'));
    if (target === undefined) {
      at.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return undefined;
    if (target.startsWith('/')) at = [];
    todo.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return at.join('/');
}
