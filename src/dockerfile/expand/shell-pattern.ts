type Fail = (message: string) => never;

/*
 * The patterns of `${name#pattern}` and `${name/pattern/text}`: `*` and `?` alone, without bracket expressions, as
 * BuildKit has them (POSIX shell command language, 2.13, in part). They are matched in time that grows with value times
 * pattern at most: regular expressions that backtrack can take years for a line of a Dockerfile.
 */

/** A pattern in parts: any text, any character, or this one. */
type Part = { readonly any: 'text' | 'char' } | string;

/** The value without its shortest or longest prefix that matches. */
export function removePrefix(value: string, pattern: string, longest: boolean, fail: Fail): string {
  const chars = Array.from(value);
  const ends = matchEnds(partsOf(pattern, fail), chars, 0);
  const length = longest ? ends.at(-1) : ends[0];
  return length === undefined ? value : chars.slice(length).join('');
}

/** The value without its shortest or longest suffix that matches. */
export function removeSuffix(value: string, pattern: string, longest: boolean, fail: Fail): string {
  const backwards = Array.from(value).reverse();
  const ends = matchEnds(partsOf(pattern, fail).toReversed(), backwards, 0);
  const length = longest ? ends.at(-1) : ends[0];
  return length === undefined ? value : backwards.slice(length).reverse().join('');
}

/** The value with the first or every longest match replaced; the replacement is taken literally. */
export function replacePattern(
  value: string,
  pattern: string,
  text: string,
  all: boolean,
  fail: Fail,
): string {
  const parts = partsOf(pattern, fail);
  const chars = Array.from(value);
  const starts = matchStarts(parts, chars);
  let out = '';
  let end = -1;
  for (let at = 0; at <= chars.length; ) {
    const to = starts.has(at) && (all || end === -1) ? matchEnds(parts, chars, at).at(-1)! : undefined;
    // An empty match right behind another one is none, as in Go.
    if (to !== undefined && !(to === at && at === end)) out += text;
    if (to !== undefined) end = to;
    if (to === undefined || to === at) out += chars[at++] ?? '';
    else at = to;
  }
  return out;
}

/** Where matches end that begin at a place, in ascending order. */
function matchEnds(parts: readonly Part[], chars: readonly string[], from: number): number[] {
  const found: number[] = [];
  let states = closure(parts, [0]);
  for (let at = from; states.size > 0; at += 1) {
    if (states.has(parts.length)) found.push(at);
    const char = chars[at];
    if (char === undefined) break;
    states = step(parts, states, char);
  }
  return found;
}

/** Where matches begin: the ends of what the pattern matches backwards, from any place. */
function matchStarts(parts: readonly Part[], chars: readonly string[]): ReadonlySet<number> {
  const backwards = parts.toReversed();
  const found = new Set<number>();
  let states = closure(backwards, [0]);
  for (let at = chars.length; ; at -= 1) {
    if (states.has(parts.length)) found.add(at);
    if (at === 0) return found;
    states = closure(backwards, [0, ...step(backwards, states, chars[at - 1]!)]);
  }
}

/** The parts that may come next, after one more character. */
function step(parts: readonly Part[], states: ReadonlySet<number>, char: string): Set<number> {
  const next: number[] = [];
  for (const state of states) {
    const part = parts[state];
    if (part === undefined) continue;
    if (typeof part === 'object' && part.any === 'text') next.push(state);
    else if (typeof part === 'object' || part === char) next.push(state + 1);
  }
  return closure(parts, next);
}

/** These parts, and those behind any text, which may be none. */
function closure(parts: readonly Part[], states: readonly number[]): Set<number> {
  const all = new Set<number>();
  for (let state of states) {
    for (; !all.has(state); state += 1) {
      all.add(state);
      const part = parts[state];
      if (typeof part !== 'object' || part.any !== 'text') break;
    }
  }
  return all;
}

function partsOf(pattern: string, fail: Fail): Part[] {
  const chars = Array.from(pattern);
  const out: Part[] = [];
  for (let i = 0; i < chars.length; i += 1) {
    const char = chars[i]!;
    if (char === '*' || char === '?') {
      out.push({ any: char === '*' ? 'text' : 'char' });
      continue;
    }
    const next = chars[i + 1];
    if (char === '\\') {
      if (next === '}' || next === '/') continue;
      if (next !== '*' && next !== '?' && next !== '\\') {
        fail(`the pattern ${pattern} escapes ${next ?? 'nothing'}; only *, ?, / and } can be escaped`);
      }
      i += 1;
      out.push(next);
    } else out.push(char);
  }
  return out;
}
