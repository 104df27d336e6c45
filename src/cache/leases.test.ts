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

/** Where a look takes 100 ms. */
const PAUSES = [
  { what: 'others may take as long as a few round trips', isLater: false, ms: 60 + 4 * 100 },
  { what: 'nobody else comes to a later step', isLater: true, ms: 60 },
];

test('the pause before a lease is taken is as long as others may take from their look to their write', async (t) => {
  for (const { what, isLater, ms } of PAUSES) {
    const steps: string[] = [];
    let now = 0;
    const manifests = new Map<string, Buffer>();
    const descriptorOf = (bytes: Buffer) => ({
      mediaType: MEDIA_TYPES.ociIndex,
      digest: digestOf(bytes),
      size: bytes.length,
    });
    const paused = Promise.withResolvers<number>();
    const leases = createLeases({
      store: {
        name: 'slow',
        has: async () => undefined,
        get: () => assert.fail('nothing is read'),
        put: async () => 'exists',
        resolve: async (tag) => {
          const bytes = manifests.get(tag);
          now += 100;
          return bytes && { descriptor: descriptorOf(bytes), bytes };
        },
        tag: async (bytes, _, tag) => {
          steps.push('write');
          manifests.set(tag!, bytes);
          return descriptorOf(bytes);
        },
      },
      endsWithRecord: () => false,
      clock: () => now,
      pause: async (asked) => {
        steps.push('pause');
        paused.resolve(asked);
      },
    });
    t.after(leases.close);
    const key = digestOf('key');
    if (isLater) leases.prepare([key]);
    else
      assert.deepEqual(await leases.take([key], [], () => steps.push('free')), {
        kind: 'taken',
        missing: false,
      });
    assert.equal(await paused.promise, ms, what);
    assert.deepEqual(steps.slice(-3), [isLater ? 'write' : 'free', 'write', 'pause'], what);
  }
});
