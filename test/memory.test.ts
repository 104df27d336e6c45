import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { missingService, useEnvironment } from './support/environment.ts';
import { builtSteps } from './support/results.ts';
import { createSandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

/** MiB of the large layer, and how many of them are noise that does not compress. */
const LARGE =
  process.env.ENVBUILDER_TEST_LARGE === '1' ? { size: 3072, noise: 3072 } : { size: 1024, noise: 160 };
const SMALL = { size: 48, noise: 48 };
/** What a large layer may cost more than a small one, and what any may cost; from sources, each thread holds a compiler too. */
const MOST_MORE_MIB = 56;
const MOST_MIB = 340;

test('memory does not depend on the size of a layer, built, pushed, or taken from the cache', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const { host } = services.registry!;
  const peaks: Record<'built' | 'cached', number[]> = { built: [], cached: [] };
  for (const { size, noise } of [SMALL, LARGE]) {
    const box = createSandbox({
      Dockerfile: `FROM ${host}/busybox:1\nRUN head -c ${noise}m /dev/urandom > /big && truncate -s ${size}M /big\n`,
    });
    t.after(() => box.close());
    const args = [`--cache-repo=${host}/memory/${randomBytes(4).toString('hex')}`, '--progress=json'];
    const built = await box.build([...args, '--push-image']);
    assert.equal(built.code, 0, built.output);
    const cached = await box.build([...args, `--output=${box.path('rootfs')}`]);
    assert.equal(cached.code, 0, cached.output);
    assert.deepEqual(builtSteps(cached), []);
    assert.equal(statSync(box.path('rootfs/big')).size, size * 1024 * 1024);
    peaks.built.push(built.peakMiB);
    peaks.cached.push(cached.peakMiB);
    box.close();
  }
  for (const [what, [small = 0, large = 0]] of Object.entries(peaks)) {
    t.diagnostic(
      `${what}: ${Math.round(small)} MiB with ${SMALL.size} MiB, ${Math.round(large)} MiB with ${LARGE.size} MiB`,
    );
    assert.ok(small > 20, `${what}: the memory was not measured`);
    assert.ok(large <= MOST_MIB, `${what}: ${large} MiB`);
    assert.ok(
      large - small <= MOST_MORE_MIB,
      `${what}: ${small} MiB with a small layer, ${large} MiB with a large one`,
    );
  }
});
