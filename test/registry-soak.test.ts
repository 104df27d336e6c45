import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { NEEDED, soak } from './support/registry-soak.ts';

/** ENVBUILDER_SOAK_SECONDS=300 is the long form. */
const SECONDS = Number(process.env.ENVBUILDER_SOAK_SECONDS ?? 15);

test('nothing acknowledged is lost and nothing corrupt is served while servers are killed', async (t) => {
  const dir = temporaryDir('soak');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { counts, failures } = await soak({ dir, seconds: SECONDS, clients: 8 });
  t.diagnostic(JSON.stringify(counts));
  assert.deepEqual(failures, []);
  for (const what of NEEDED) {
    assert.ok((counts[what] ?? 0) >= 3, `${what}: ${JSON.stringify(counts)}`);
  }
});
