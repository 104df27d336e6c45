type Fail = (message: string) => never;

/*
 * The patterns of `${name#pattern}` and `${name/pattern/text}`: `*` and `?` alone, without bracket expressions, as
 * BuildKit has them (POSIX shell command language, 2.13, in part).
 */

/** The value without its shortest or longest prefix that matches. */
export function removePrefix(value: string, pattern: string, longest: boolean, fail: Fail): string {
  const matches = new RegExp(`^(?:${toRegExp(pattern, fail)})$`, 'su');
  const chars = Array.from(value);
  for (const length of lengths(chars.length, longest)) {
    if (matches.test(chars.slice(0, length).join(''))) return chars.slice(length).join('');
  }
  return value;
}

/** The value without its shortest or longest suffix that matches. */
export function removeSuffix(value: string, pattern: string, longest: boolean, fail: Fail): string {
  const matches = new RegExp(`^(?:${toRegExp(pattern, fail)})$`, 'su');
  const chars = Array.from(value);
  for (const length of lengths(chars.length, longest)) {
    const at = chars.length - length;
    if (matches.test(chars.slice(at).join(''))) return chars.slice(0, at).join('');
  }
  return value;
}

/** The value with the first or every longest match replaced; the replacement is taken literally. */
export function replacePattern(
  value: string,
  pattern: string,
  text: string,
  all: boolean,
  fail: Fail,
): string {
  const matches = new RegExp(toRegExp(pattern, fail), all ? 'gsu' : 'su');
  if (!all) return value.replace(matches, () => text);
  let end = -1;
  return value.replace(matches, (found: string, at: number) => {
    if (found === '' && at === end) return '';
    end = at + found.length;
    return text;
  });
}

function lengths(total: number, longest: boolean): number[] {
  const ascending = Array.from({ length: total + 1 }, (_, i) => i);
  return longest ? ascending.reverse() : ascending;
}

function toRegExp(pattern: string, fail: Fail): string {
  const chars = Array.from(pattern);
  let out = '';
  for (let i = 0; i < chars.length; i += 1) {
    let char = chars[i]!;
    if (char === '*' || char === '?') {
      out += char === '*' ? '.*' : '.';
      continue;
    }
    if (char === '\\') {
      const next = chars[i + 1];
      if (next === '}' || next === '/') continue;
      if (next !== '*' && next !== '?' && next !== '\\') {
        fail(`the pattern ${pattern} escapes ${next ?? 'nothing'}; only *, ?, / and } can be escaped`);
      }
      i += 1;
      char = next;
    }
    out += /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
  }
  return out;
}
