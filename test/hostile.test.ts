import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { forms } from './hostile/forms.ts';
import { mutation } from './hostile/kinds/mutations.ts';
import { sampleOf, sampleOfStarts, sparsePairs } from './hostile/sample.ts';
import { allPairs, type Finding, openSession, type Pair, type Session } from './hostile/session.ts';
import { missingService, useEnvironment } from './support/environment.ts';

/*
 * A part of `npm run fuzz -- --hostile`, which tries every kind by every way. Here each way is taken by the honest input and
 * by some of the hostile ones, spread over the kinds, and every kind of the lists below is tried.
 */
const environment = useEnvironment(['docker']);

/** Mutations of honest inputs, always the same ones. */
const MUTATIONS = 40;
/** What Docker is given as well: its own refusals and ours must be the same. */
const WITH_DOCKER = [
  'tar/name-up-and-back/base-gzip',
  'tar/link-in-then-through/base-gzip',
  'tar/link-out-then-through/base-gzip',
  'tar/hard-to-link/base-gzip',
  'tar/whiteout-opaque-late/base-gzip',
  'tar/sparse-old-extended/base-gzip',
  'tar/pax-size-other/base-gzip',
  'tar/checksum-wrong/base-gzip',
  'stream/gzip-trailing-zeros/base',
  'stream/gzip-two-members/base',
  'stream/zstd-cut/base',
  'document/manifest-layers-none/base',
];

let session: Session;
before(async () => {
  await ensurePackages(['bzip2', 'xz-utils', 'git', 'busybox-static']);
  session = await openSession({ parallel: 2 });
});
after(() => session?.close());

for (const form of forms) {
  test(`nothing escapes, nothing explodes: ${form.name}`, async () => {
    await expectHarmless(session, sampleOf(form));
  });
}

test('nothing escapes, nothing explodes: sparse files', async () => {
  const pairs = sparsePairs(forms);
  assert.equal(pairs.length, 9, 'an input was renamed');
  await expectHarmless(session, pairs);
});

test('nothing escapes, nothing explodes: mutations of honest inputs', async () => {
  const pairs = Array.from({ length: MUTATIONS }, (_, seed) => allPairs([mutation(seed + 1)])).flat();
  await expectHarmless(session, pairs);
});

test('nothing escapes, nothing explodes: starts in place', async () => {
  const containers = await openSession({ parallel: 2, starts: true });
  try {
    await expectHarmless(containers, sampleOfStarts(forms));
  } finally {
    await containers.close();
  }
});

test('what Docker builds out of hostile inputs, we build with the same files', async (t) => {
  const missing = missingService(environment.services, ['docker']);
  if (missing !== undefined) return t.skip(missing);
  const beside = await openSession({ parallel: 1, engine: environment.services.docker! });
  try {
    const pairs = allPairs().filter(({ name }) => WITH_DOCKER.includes(name));
    assert.equal(pairs.length, WITH_DOCKER.length, 'an input was renamed');
    await expectHarmless(beside, pairs);
  } finally {
    await beside.close();
  }
});

async function expectHarmless(of: Session, pairs: readonly Pair[]): Promise<void> {
  const bad: Finding[] = [];
  await of.tryAll(pairs, (finding) => void (finding.problems.length > 0 && bad.push(finding)));
  const lines = bad.map(({ pair, outcome, problems }) => `${pair.name}: ${outcome}: ${problems.join('; ')}`);
  assert.deepEqual(
    lines.sort(),
    [],
    `npm run fuzz -- --hostile --only '^${bad[0]?.pair.name}$'\n${bad[0]?.output}`,
  );
}
