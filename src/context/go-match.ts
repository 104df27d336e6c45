import { AppError } from '../core/error.ts';

/**
 * Go's filepath.Match on Linux: `*` and `?` match anything but `/`, `[a-z]` and `[^a-z]` are character classes (which may match
 * a `/`), a backslash takes the next character literally. The whole name has to match.
 * @throws AppError CONTEXT for a malformed pattern, whether or not the name matches up to the mistake
 */
export function goMatch(pattern: string, name: string): boolean {
  return createGoMatcher(pattern)(name);
}

/** goMatch for one pattern and many names. @throws AppError CONTEXT for a malformed pattern */
export function createGoMatcher(pattern: string): (name: string) => boolean {
  const tokens = parse(pattern);
  return (name) => matchTokens(tokens, [...name]);
}

/** Whether a path holds a character that goMatch treats specially; an escaped one does not count. */
export function hasWildcards(path: string): boolean {
  for (let i = 0; i < path.length; i += 1) {
    const char = path[i];
    if (char === '\\') i += 1;
    else if (char === '*' || char === '?' || char === '[') return true;
  }
  return false;
}

type Token =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | {
      readonly kind: 'class';
      readonly negated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    };

function parse(pattern: string): Token[] {
  const chars = [...pattern];
  const tokens: Token[] = [];
  let at = 0;
  const bad = (): AppError =>
    new AppError('CONTEXT', `the pattern "${pattern}" is malformed`, {
      hint: 'check its brackets and backslashes',
    });
  const classChar = (): string => {
    let char = chars[at];
    if (char === undefined || char === '-' || char === ']') throw bad();
    if (char === '\\') {
      at += 1;
      char = chars[at];
      if (char === undefined) throw bad();
    }
    at += 1;
    if (at >= chars.length) throw bad();
    return char;
  };
  const parseClass = (): Token => {
    const negated = chars[at] === '^';
    if (negated) at += 1;
    const ranges: [string, string][] = [];
    while (chars[at] !== ']' || ranges.length === 0) {
      const low = classChar();
      let high = low;
      if (chars[at] === '-') {
        at += 1;
        high = classChar();
      }
      ranges.push([low, high]);
    }
    at += 1;
    return { kind: 'class', negated, ranges };
  };
  while (at < chars.length) {
    const char = chars[at]!;
    at += 1;
    if (char === '*') tokens.push({ kind: 'star' });
    else if (char === '?') tokens.push({ kind: 'any' });
    else if (char === '[') tokens.push(parseClass());
    else if (char === '\\') {
      if (at >= chars.length) throw bad();
      tokens.push({ kind: 'char', char: chars[at]! });
      at += 1;
    } else tokens.push({ kind: 'char', char });
  }
  return tokens;
}

function matchTokens(tokens: readonly Token[], name: readonly string[]): boolean {
  let t = 0;
  let n = 0;
  let starToken = -1;
  let starName = 0;
  while (n < name.length || t < tokens.length) {
    const token = tokens[t];
    if (token?.kind === 'star') {
      starToken = t;
      starName = n;
      t += 1;
    } else if (token && n < name.length && matchesOne(token, name[n]!)) {
      t += 1;
      n += 1;
    } else if (starToken >= 0 && starName < name.length && name[starName] !== '/') {
      starName += 1;
      n = starName;
      t = starToken + 1;
    } else return false;
  }
  return true;
}

function matchesOne(token: Token, char: string): boolean {
  if (token.kind === 'char') return token.char === char;
  if (token.kind === 'any') return char !== '/';
  if (token.kind === 'star') return false;
  const code = char.codePointAt(0)!;
  const inside = token.ranges.some(
    ([low, high]) => low.codePointAt(0)! <= code && code <= high.codePointAt(0)!,
  );
  return inside !== token.negated;
}
