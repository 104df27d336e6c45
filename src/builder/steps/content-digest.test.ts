import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import type { Step } from '../../plan/types.ts';
import type { RootfsState } from '../../rootfs/types.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { createContentDigests } from './content-digest.ts';

const root = mkdtempSync(join(tmpdir(), 'envbuilder-content-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** COPY --from=0 of these paths, by content. */
async function digest(paths: readonly string[], destination = '/x/'): Promise<string> {
  const syscalls = createSyscalls();
  const state = { read: (work: (root: string) => unknown) => work(root) } as unknown as RootfsState;
  const digests = createContentDigests({
    syscalls: () => syscalls,
    stateOf: async () => state,
    resultOf: () => Promise.reject(new Error('not asked for')),
  });
  return digests({
    key: digestOf('step'),
    stages: [0],
    operation: {
      kind: 'copy',
      inputs: [{ kind: 'from', source: { type: 'stage', stage: 0 }, paths }],
      destination,
      link: false,
      parents: false,
      excludes: [],
    },
  } as unknown as Step);
}

test('a copy from a stage counts by the attributes of its files as well', async () => {
  const file = join(root, 'tool');
  writeFileSync(file, 'tool');
  const before = await digest(['/tool']);
  assert.equal(await digest(['/tool']), before);
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  createSyscalls().setXattr(file, 'security.capability', capability);
  assert.notEqual(await digest(['/tool']), before);
});

test('the order of sources counts where one may take the place of another', async () => {
  for (const name of ['a', 'b']) writeFileSync(join(root, name), name);
  assert.notEqual(await digest(['/a', '/b'], '/x'), await digest(['/b', '/a'], '/x'));
  assert.equal(await digest(['/a', '/b']), await digest(['/b', '/a']));
});
