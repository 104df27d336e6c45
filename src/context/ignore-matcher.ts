import { AppError } from '../core/error.ts';
import { cleanPath } from './clean-path.ts';
import { compileIgnorePattern, type IgnorePattern } from './ignore-pattern.ts';

/** Which patterns a directory matched; what lies below it matches them too. */
export type MatchState = readonly boolean[];

/** Whether a path is excluded, and the state for what lies below it. */
export interface Judgement {
  readonly excluded: boolean;
  readonly state: MatchState;
}

export interface IgnoreMatcher {
  /** As they were given. */
  readonly patterns: readonly string[];
  /** Judges one path on a walk. `parent` is the state of the directory that holds it, undefined at the top. */
  match(path: string, parent: MatchState | undefined): Judgement;
  /** Judges a path by itself and the directories above it. */
  judge(path: string): Judgement;
  /** Whether a path is excluded, by itself or by a directory above it. */
  matches(path: string): boolean;
  /** Whether anything below an excluded directory could still be brought back by an exception. */
  mayHold(directory: string): boolean;
}

/**
 * A matcher over patterns as .dockerignore and COPY --exclude have them, the last one that matches wins. The rules, odd
 * cases included, are those of github.com/moby/patternmatcher (MatchesUsingParentResults) and of the walk in
 * github.com/tonistiigi/fsutil.
 * @param file for messages: where the patterns stand
 * @throws AppError CONTEXT for a malformed pattern
 */
export function createMatcher(patterns: readonly string[], file = '.dockerignore'): IgnoreMatcher {
  const compiled: IgnorePattern[] = [];
  for (const given of patterns) {
    if (given.trim() === '') continue;
    const clean = cleanPath(given.trim());
    const exception = clean.startsWith('!');
    if (clean === '!') throw malformed(clean, file);
    try {
      compiled.push(compileIgnorePattern(exception ? clean.slice(1) : clean, exception));
    } catch (cause) {
      throw malformed(clean, file, cause);
    }
  }
  const exceptions = compiled
    .filter(({ exception }) => exception)
    .map(({ text }) => withoutTrailingGlob(text));
  const onlyPrefixes = exceptions.every((text) => !/[*[\]?^\\]/.test(text));

  const match: IgnoreMatcher['match'] = (path, parent) => {
    const state = new Array<boolean>(compiled.length).fill(false);
    let excluded = false;
    for (let i = 0; i < compiled.length; i += 1) {
      const pattern = compiled[i]!;
      let hit = parent?.[i] ?? false;
      if (!hit) {
        if (pattern.exception !== excluded) continue;
        hit = pattern.matches(path) || (parent === undefined && parentMatches(pattern, path));
      }
      state[i] = hit;
      if (hit) excluded = !pattern.exception;
    }
    return { excluded, state };
  };

  const judge = (path: string): Judgement => {
    let state: MatchState | undefined;
    for (let at = path.indexOf('/'); ; at = path.indexOf('/', at + 1)) {
      const result = match(at === -1 ? path : path.slice(0, at), state);
      if (at === -1) return result;
      ({ state } = result);
    }
  };

  return {
    patterns,
    match,
    judge,
    matches: (path) => judge(path).excluded,
    mayHold: (directory) =>
      exceptions.length > 0 &&
      (!onlyPrefixes || exceptions.some((text) => `${text}/`.startsWith(`${directory}/`))),
  };
}

function parentMatches(pattern: IgnorePattern, path: string): boolean {
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    if (pattern.matches(path.slice(0, at))) return true;
  }
  return false;
}

function withoutTrailingGlob(text: string): string {
  const cut = text.endsWith('/**') ? text.slice(0, -3) : text;
  return cut.endsWith('/*') ? cut.slice(0, -2) : cut;
}

function malformed(pattern: string, file: string, cause?: unknown): AppError {
  return new AppError('CONTEXT', `the pattern "${pattern}" in ${file} is malformed`, {
    hint: 'check its brackets and backslashes',
    ...(cause === undefined ? {} : { cause }),
  });
}
