import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Store } from '../oci/types.ts';
import { createLeases } from './leases.ts';

test('who answers with what is no lease is not waited for', async (t) => {
  for (const text of ['{}', '[]', 'null', '<html>', '{"annotations": {"dev.envbuilder.lease": "{}"}}']) {
    const bytes = Buffer.from(text);
    const descriptor = { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(bytes), size: bytes.length };
    const store: Store = {
      name: 'odd',
      has: async () => undefined,
      get: () => assert.fail('nothing is read'),
      put: async () => 'exists',
      resolve: async () => ({ descriptor, bytes }),
      tag: async () => descriptor,
    };
    const told: string[] = [];
    const leases = createLeases({
      store,
      endsWithRecord: () => false,
      onOff: (reason) => told.push(reason),
      times: { beat: 1000, dead: 1, look: 1, request: 1000, settle: 1 },
    });
    t.after(leases.close);
    const key = digestOf('key');
    for (let i = 0; i < 3; i += 1) assert.deepEqual(await leases.take([key]), { kind: 'none' }, text);
    assert.equal(told.length, 1, text);
  }
});
