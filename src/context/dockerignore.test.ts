import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../core/error.ts';
import { loadIgnore, parseDockerignore } from './dockerignore.ts';
import { createMatcher, type IgnoreMatcher, type MatchState } from './ignore-matcher.ts';

const golden = JSON.parse(
  readFileSync(new URL('./testdata/patternmatcher.json', import.meta.url), 'utf8'),
) as {
  paths: string[];
  walks: { patterns: string[]; result: string }[];
  ignorefile: [string, string[]][];
};

/** Go sees a mistake in a pattern only when it compares that far; here such a pattern is always refused. */
const isMalformed = ({ patterns }: { patterns: string[] }): boolean =>
  patterns.some((pattern) => /\[a[^\]]*$/.test(pattern));
const walks = golden.walks.filter((each) => each.result === 'error' || !isMalformed(each));

/** One digit a path, as the golden file has it. */
function walk(matcher: IgnoreMatcher, paths: readonly string[]): string {
  const states = new Map<string, MatchState>();
  return paths
    .map((path) => {
      const result = matcher.match(path, states.get(path.slice(0, Math.max(0, path.lastIndexOf('/')))));
      states.set(path, result.state);
      return result.excluded ? '1' : '0';
    })
    .join('');
}

test('patterns exclude what they exclude in Docker', () => {
  for (const { patterns, result } of walks) {
    const of = JSON.stringify(patterns);
    if (result === 'error') assert.throws(() => createMatcher(patterns), AppError, of);
    else assert.equal(walk(createMatcher(patterns), golden.paths), result, of);
  }
});

test('a mistake in a pattern is found whether or not it is reached', () => {
  const bad = golden.walks.filter(isMalformed);
  assert.ok(bad.length > 5);
  for (const { patterns } of bad) assert.throws(() => createMatcher(patterns), { code: 'CONTEXT' });
});

test('a single question has the answer of the walk', () => {
  for (const { patterns, result } of walks) {
    if (result === 'error') continue;
    const matcher = createMatcher(patterns);
    assert.equal(
      golden.paths.map((path) => (matcher.matches(path) ? '1' : '0')).join(''),
      result,
      JSON.stringify(patterns),
    );
  }
});

test('a directory that is skipped holds nothing that is kept', () => {
  for (const { patterns, result } of walks) {
    if (result === 'error') continue;
    const matcher = createMatcher(patterns);
    golden.paths.forEach((path, i) => {
      if (result[i] !== '0') return;
      for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
        const parent = path.slice(0, at);
        assert.ok(!matcher.matches(parent) || matcher.mayHold(parent), `${JSON.stringify(patterns)} ${path}`);
      }
    });
  }
});

test('lines are read as Docker reads them', () => {
  for (const [text, patterns] of golden.ignorefile) assert.deepEqual(parseDockerignore(text), patterns);
});

test('appending an exception for everything keeps everything', () => {
  const pattern = fc.constantFrom('a', 'b', '**', '*', 'a/*', '**/b', '!a', '!a/b', '?');
  fc.assert(
    fc.property(fc.array(pattern), fc.constantFrom(...golden.paths), (patterns, path) => {
      assert.equal(createMatcher([...patterns, '!**']).matches(path), false);
      assert.equal(createMatcher([...patterns, '**']).matches(path), true);
    }),
  );
});

test('what is excluded without exceptions is excluded as a whole', () => {
  const pattern = fc.constantFrom('a', 'b', '*', 'a/*', '**/b', '?b', 'ab/**', 'a.*');
  fc.assert(
    fc.property(fc.array(pattern), fc.constantFrom(...golden.paths), (patterns, path) => {
      const matcher = createMatcher(patterns);
      if (matcher.matches(path)) assert.ok(matcher.matches(`${path}/below`));
    }),
  );
});

test('the ignore file beside the Dockerfile comes first, then the one of the context', () => {
  const dir = mkdtempSync(join(tmpdir(), 'ignore-'));
  try {
    const dockerfile = join(dir, 'my.Dockerfile');
    assert.equal(loadIgnore(dir, dockerfile), undefined);
    writeFileSync(join(dir, '.dockerignore'), 'a\n');
    assert.equal(loadIgnore(dir, dockerfile)?.matches('a'), true);
    writeFileSync(`${dockerfile}.dockerignore`, 'b\n');
    assert.equal(loadIgnore(dir, dockerfile)?.matches('a'), false);
    assert.equal(loadIgnore(dir, dockerfile)?.matches('b'), true);
    writeFileSync(`${dockerfile}.dockerignore`, '[\n');
    assert.throws(() => loadIgnore(dir, dockerfile), { code: 'CONTEXT', message: /my\.Dockerfile/ });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
