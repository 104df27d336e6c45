import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../core/error.ts';
import { formatReference, parseReference, tagOrDigest } from './reference.ts';

const HEX = 'a'.repeat(64);

const VALID: readonly [text: string, full: string][] = [
  ['debian', 'docker.io/library/debian'],
  ['debian:12', 'docker.io/library/debian:12'],
  ['index.docker.io/debian', 'docker.io/library/debian'],
  ['docker.io/a/b', 'docker.io/a/b'],
  ['a/b', 'docker.io/a/b'],
  ['localhost/a', 'localhost/a'],
  ['localhost:5000/a:b', 'localhost:5000/a:b'],
  ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c'],
  ['[::1]:5000/a', '[::1]:5000/a'],
  ['Host/a', 'Host/a'],
  ['ghcr.io/a/b__c.d--e', 'ghcr.io/a/b__c.d--e'],
  [`a@sha256:${HEX}`, `docker.io/library/a@sha256:${HEX}`],
  [`r.example/a:t@sha256:${HEX}`, `r.example/a:t@sha256:${HEX}`],
];

for (const [text, full] of VALID) {
  test(`${text} is ${full}`, () => {
    const parsed = parseReference(text);
    assert.equal(formatReference(parsed), full);
    assert.equal(parsed.familiar, text);
  });
}

const INVALID: readonly [text: string, hint: RegExp][] = [
  ['', /name an image/],
  ['Debian', /write "debian"/],
  ['r.example/Team/App:1', /write "r.example\/team\/app:1"/],
  ['https://r.example/a', /leave out "https:\/\/"/],
  ['a b', /white space/],
  ['a:', /a tag is/],
  [`a:${'x'.repeat(129)}`, /a tag is/],
  ['a@sha256:123', /64 lower-case hex/],
  [`a@sha512:${HEX}${HEX}`, /only sha256/],
  [HEX, /by its repository/],
  ['a//b', /a repository is/],
  ['a..b', /a repository is/],
  ['-r.example/a', /host:port/],
  [`r.example/${'a'.repeat(250)}`, /shorter/],
];

for (const [text, hint] of INVALID) {
  test(`"${text.slice(0, 40)}" is refused with a hint`, () => {
    assert.throws(
      () => parseReference(text),
      (error) => error instanceof AppError && error.code === 'REFERENCE' && hint.test(error.hint ?? ''),
    );
  });
}

test('a digest wins over a tag, and latest stands for neither', () => {
  assert.equal(tagOrDigest(parseReference('a')), 'latest');
  assert.equal(tagOrDigest(parseReference('a:b')), 'b');
  assert.equal(tagOrDigest(parseReference(`a:b@sha256:${HEX}`)), `sha256:${HEX}`);
});

test('a reference in full parses to itself', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const component = fc
    .tuple(word, fc.constantFrom('', '.x', '_y', '__z', '--w'))
    .map((parts) => parts.join(''));
  const host = fc.oneof(
    fc.constant('localhost'),
    fc.tuple(word, word).map(([a, b]) => `${a}.${b}`),
    fc.tuple(word, fc.integer({ min: 1, max: 65535 })).map(([a, port]) => `${a}:${port}`),
  );
  const options = {
    tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
    digest: fc.option(fc.stringMatching(/^[0-9a-f]{64}$/), { nil: undefined }),
  };
  fc.assert(
    fc.property(
      host,
      fc.array(component, { minLength: 1, maxLength: 4 }),
      fc.record(options),
      (registry, path, { tag, digest }) => {
        const text = `${registry}/${path.join('/')}${tag ? `:${tag}` : ''}${digest ? `@sha256:${digest}` : ''}`;
        const parsed = parseReference(text);
        assert.equal(formatReference(parsed), text);
        assert.equal(parsed.repository, path.join('/'));
      },
    ),
  );
});

test('anything else is parsed or refused with AppError, never more', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'aA0./:@_- \0é[]'.split('')), maxLength: 30 }),
      (text) => {
        try {
          const parsed = parseReference(text);
          assert.deepEqual({ ...parseReference(formatReference(parsed)), familiar: text }, parsed);
        } catch (error) {
          assert.ok(error instanceof AppError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});
