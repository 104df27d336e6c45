import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { goProgram, noGo } from '../scripts/lib/go-program.ts';
import { capture } from '../scripts/lib/shell.ts';
import { startOwnRegistry } from './support/own-registry.ts';

const SUITE = 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111';

test('the OCI distribution conformance suite passes completely', { skip: noGo() }, async (t) => {
  const suite = await goProgram(SUITE);
  const dir = temporaryDir('conformance');
  const registry = await startOwnRegistry(dir, join(dir, 'data'));
  t.after(async () => {
    await registry.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const { code, stdout, stderr } = await capture(suite, [], {
    cwd: dir,
    env: {
      // What the next version of the specification adds is on; sparse manifests are refused on purpose.
      OCI_VERSION: 'dev',
      OCI_REGISTRY: registry.host,
      OCI_TLS: 'disabled',
      OCI_RESULTS_DIR: dir,
    },
  });
  const lines = stdout.toString().split('\n');
  const others = lines.filter(
    (line) => /:\s*(?:FAIL|Fail|Error|Skip|Disabled|Unknown)$/.test(line) && !/Sparse Manifests/.test(line),
  );
  assert.deepEqual(others, [], stderr);
  assert.equal(code, 0, stdout.toString());
  const results = readFileSync(join(dir, 'results.yaml'), 'utf8');
  const passed = lines.filter((line) => /^\s*OCI Conformance Test\/.*: Pass$/.test(line)).length;
  assert.ok(passed > 300, `${passed} tests passed\n${results}`);
  t.diagnostic(`${passed} tests of the conformance suite passed`);
});
