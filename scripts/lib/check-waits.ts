import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The least limit of a test, in milliseconds: one that is near the usual time fails on a busy machine. */
const LEAST_LIMIT = 300_000;
const LIMIT = /(?<!-)\b(?:timeout|timeoutMs|deadline|PATIENCE\w*)\b\s*(?::|=|\?\?)\s*([\d_]+)/g;
/** The same as arguments: a signal that aborts after a time, or a moment that is not far. */
const LIMIT_AT = /AbortSignal\.timeout\(([\d_]+)\)|\bperformance\.now\(\) \+ ([\d_]+)/g;
/** A command that is there to be ended, and may have ended before; one that only goes round again is short. */
const SLEEP = /\bsleep (\d+)\b(?!\.)/g;
const LEAST_SLEEP = 600;
const WAIT = /(?<!\bfunction )\b(?:sleep|setTimeout)\(|Atomics\.wait\((?:[^,]*,){3}/;
const REASON = /\/\/ Wait: \S/;

/**
 * Where a test, or what tests share, has a limit that a busy machine exceeds, or waits for a time and not for an event. A
 * limit or a wait that has to be like that says why in a comment that begins with `Wait:`, on its line or right above.
 * @returns a line for each, with its place
 */
export function timedWaits(root: string): string[] {
  const files = globSync(
    ['{src,scripts,test,bench}/**/*.test.ts', 'test/**/*.ts', 'src/**/testing{.ts,/*.ts}'],
    {
      cwd: root,
    },
  );
  // They are about waits.
  const about = ['src/core/testing.ts', 'scripts/lib/check-waits.test.ts'];
  const others = [...new Set(files)].filter((file) => !about.includes(file));
  return others.sort().flatMap((file) => problemsIn(file, readFileSync(join(root, file), 'utf8')));
}

/** @param text the content of the file, which is named only */
export function problemsIn(file: string, text: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (REASON.test(line) || isReason(lines, i - 1) || line.trimStart().startsWith('import ')) return [];
    const problems: string[] = [];
    for (const [, number] of line.matchAll(LIMIT))
      if (Number(number!.replaceAll('_', '')) < LEAST_LIMIT)
        problems.push(`${file}:${i + 1}: a limit of ${number} ms; PATIENCE_MS of core/testing.ts is one`);
    for (const [, signal, moment] of line.matchAll(LIMIT_AT))
      if (Number((signal ?? moment!).replaceAll('_', '')) < LEAST_LIMIT)
        problems.push(
          `${file}:${i + 1}: a limit of ${signal ?? moment} ms; PATIENCE_MS of core/testing.ts is one`,
        );
    for (const [, seconds] of line.matchAll(SLEEP))
      if (Number(seconds) > 0 && Number(seconds) < LEAST_SLEEP)
        problems.push(
          `${file}:${i + 1}: a command that has ended by itself after ${seconds} s; sleep 1000 has not`,
        );
    if (WAIT.test(line))
      problems.push(`${file}:${i + 1}: waits for a time; until() of core/testing.ts waits for what is meant`);
    return problems;
  });
}

/** Whether a line belongs to a comment that gives the reason. */
function isReason(lines: readonly string[], at: number): boolean {
  for (let i = at; i >= 0 && lines[i]!.trimStart().startsWith('//'); i -= 1)
    if (REASON.test(lines[i]!)) return true;
  return false;
}
