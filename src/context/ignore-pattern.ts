import { AppError } from '../core/error.ts';
import { createGoMatcher } from './go-match.ts';

/** One line of an ignore file, ready to match. */
export interface IgnorePattern {
  /** The line without its `!`, cleaned. */
  readonly text: string;
  /** `!`: what it matches is not excluded after all. */
  readonly exception: boolean;
  /** Whether a path matches by itself; its parents are the caller's business. */
  matches(path: string): boolean;
}

/**
 * Compiles a cleaned pattern as github.com/moby/patternmatcher does: `**` is any number of directories, `*` and `?` stay
 * within one, and everything else goes through a regular expression of Go (RE2) once a special character occurs, so that
 * `\d` is a digit there. The pattern must also be one that filepath.Match accepts.
 * @throws AppError CONTEXT for a malformed pattern
 */
export function compileIgnorePattern(text: string, exception: boolean): IgnorePattern {
  createGoMatcher(text);
  return { text, exception, matches: compile(text) };
}

type Kind = 'exact' | 'prefix' | 'suffix' | 'regexp';

function compile(text: string): (path: string) => boolean {
  const { kind, source } = translate(text);
  switch (kind) {
    case 'exact':
      return (path) => path === text;
    case 'prefix': {
      const prefix = text.slice(0, -2);
      return (path) => path.startsWith(prefix);
    }
    case 'suffix': {
      const suffix = text.slice(2);
      const whole = suffix.startsWith('/') ? suffix.slice(1) : undefined;
      return (path) => path.endsWith(suffix) || path === whole;
    }
    case 'regexp': {
      const regexp = toRegExp(source, text);
      return (path) => regexp.test(path);
    }
  }
}

/** The regular expression in Go's syntax, or the simpler comparison that does. */
function translate(text: string): { kind: Kind; source: string } {
  const chars = [...text];
  let source = '^';
  let kind: Kind = 'exact';
  for (let i = 0, round = 0; i < chars.length; round += 1) {
    const char = chars[i]!;
    i += 1;
    if (char === '*' && chars[i] === '*') {
      i += 1;
      if (chars[i] === '/') i += 1;
      if (i < chars.length) {
        source += '(.*/)?';
        kind = 'regexp';
      } else if (kind === 'exact') kind = 'prefix';
      else {
        source += '.*';
        kind = 'regexp';
      }
      if (round === 0) kind = 'suffix';
    } else if (char === '*' || char === '?') {
      source += char === '*' ? '[^/]*' : '[^/]';
      kind = 'regexp';
    } else if ('.+()|{}$'.includes(char)) source += `\\${char}`;
    else if (char === '\\') {
      if (i < chars.length) {
        source += `\\${chars[i]}`;
        i += 1;
        kind = 'regexp';
      } else source += '\\';
    } else {
      source += char;
      if (char === '[' || char === ']') kind = 'regexp';
    }
  }
  return { kind, source: `${source}$` };
}

const CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  s: '\\t\\n\\f\\r ',
  w: '0-9A-Za-z_',
};
const CONTROLS: Readonly<Record<string, string>> = {
  a: '\\x07',
  f: '\\f',
  n: '\\n',
  r: '\\r',
  t: '\\t',
  v: '\\v',
};

/** A regular expression of Go as one of this language. */
function toRegExp(source: string, pattern: string): RegExp {
  const chars = [...source];
  let out = '';
  let at = 0;
  const bad = (cause?: unknown): AppError =>
    new AppError('CONTEXT', `the pattern "${pattern}" is malformed`, {
      hint: 'check its brackets and backslashes',
      cause,
    });
  const escaped = (inClass: boolean): string => {
    const char = chars[at];
    if (char === undefined) throw bad();
    at += 1;
    const set = CLASSES[char.toLowerCase()];
    if (set !== undefined) {
      if (char === char.toLowerCase()) return inClass ? set : `[${set}]`;
      if (inClass) return `\\${char}`;
      return `[^${set}]`;
    }
    if (CONTROLS[char] !== undefined) return CONTROLS[char];
    if (!inClass && 'bB'.includes(char)) return `\\${char}`;
    if (!inClass && 'Az'.includes(char)) return char === 'A' ? '^' : '$';
    if (/[0-9A-Za-z]/.test(char)) throw bad();
    return literal(char);
  };
  const characterClass = (): string => {
    let inside = '';
    let negated = false;
    if (chars[at] === '^') {
      negated = true;
      at += 1;
    }
    for (let first = true; first || chars[at] !== ']'; first = false) {
      const char = chars[at];
      if (char === undefined) throw bad();
      at += 1;
      if (char === '[' && chars[at] === ':') {
        const name = chars.slice(at + 1, chars.indexOf(']', at) - 1).join('');
        const set = POSIX[name];
        if (set === undefined) throw bad();
        at = chars.indexOf(']', at) + 1;
        inside += set;
      } else if (char === '\\') inside += escaped(true);
      else if (char === '-') inside += first || chars[at] === ']' ? '\\-' : '-';
      else inside += literal(char);
    }
    at += 1;
    return `[${negated ? '^' : ''}${inside}]`;
  };
  while (at < chars.length) {
    const char = chars[at]!;
    at += 1;
    if (char === '\\') out += escaped(false);
    else if (char === '[') out += characterClass();
    else if (char === '.') out += '[^\\n]';
    else if (char === ']' || char === '/') out += `\\${char}`;
    else out += char;
  }
  try {
    return new RegExp(out, 'u');
  } catch (error) {
    throw bad(error);
  }
}

/** The named classes of RE2 (`[[:alpha:]]`). */
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

function literal(char: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(char)
    ? `\\${char}`
    : char === '-'
      ? '\\x2d'
      : /[\ud800-\udfff]/.test(char) && char.length === 1
        ? `\\u${char.charCodeAt(0).toString(16)}`
        : char;
}
