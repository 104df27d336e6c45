import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLeases, LEASE_TIMES, type Leases, type LeasesDeps, leaseTag } from '../cache/leases.ts';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { PATIENCE_MS, tempDir, until } from '../core/testing.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { createRegistryClient } from '../oci/http/client.ts';
import type { RegistryClient } from '../oci/http/types.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { createRemoteStore } from '../oci/remote-store.ts';
import { startFakeRegistry } from '../oci/testing/fake-registry.ts';
import { FAST } from '../oci/testing/fake-store.ts';
import type { Store } from '../oci/types.ts';
import { checkRegistry } from './check.ts';
import { startTestServer } from './testing.ts';

/** A place for leases: every call opens it as another builder does. */
interface Place {
  readonly name: string;
  readonly open: (t: TestContext) => Promise<() => Store>;
  readonly endsWithRecord: boolean;
  /** Of any number who try at once, exactly one succeeds. */
  readonly exact: boolean;
}

const ends = new WeakMap<TestContext, { leases: Leases[]; clients: RegistryClient[] }>();

/** What is closed at the end of a test: leases before what they are given back with. */
function atEnd(t: TestContext) {
  const known = ends.get(t);
  if (known) return known;
  const made: { leases: Leases[]; clients: RegistryClient[] } = { leases: [], clients: [] };
  ends.set(t, made);
  t.after(async () => {
    await Promise.all(made.leases.map((one) => one.close()));
    await Promise.all(made.clients.map((one) => one.close()));
  });
  return made;
}

function remote(t: TestContext, host: string): () => Store {
  return () => {
    const client = createRegistryClient({ retry: { ...FAST, attempts: 1 } });
    atEnd(t).clients.push(client);
    return createRemoteStore({ client, registry: host, repository: 'a/b' });
  };
}

const PLACES: readonly Place[] = [
  {
    name: 'a directory',
    open: async (t) => {
      const root = tempDir(t);
      return () => createDirectoryStore({ root, repository: 'a/b' });
    },
    endsWithRecord: false,
    exact: true,
  },
  {
    name: 'our registry',
    open: async (t) => remote(t, (await startTestServer(t)).host),
    endsWithRecord: true,
    exact: true,
  },
  {
    name: 'a registry without conditions and deletes',
    open: async (t) => {
      const registry = await startFakeRegistry();
      t.after(() => registry.close());
      registry.faults.push((seen, response) => {
        if (seen.method !== 'DELETE') return false;
        response.writeHead(405).end();
        return true;
      });
      return remote(t, registry.host);
    },
    endsWithRecord: false,
    exact: false,
  },
];

const KEY = digestOf('a step');
const FAST_TIMES = { ...LEASE_TIMES, beat: 20, settle: 20, look: Infinity };
/** No sign of life is ever given: as if the process had been killed. */
const SILENT_TIMES = { ...FAST_TIMES, beat: 3_600_000 };

/** Leases of one builder, with what turned them off. */
function builder(t: TestContext, store: Store, endsWithRecord: boolean, deps: Partial<LeasesDeps> = {}) {
  const reasons: string[] = [];
  const leases = createLeases({
    store,
    endsWithRecord: () => endsWithRecord,
    onOff: (reason) => reasons.push(reason),
    times: FAST_TIMES,
    ...deps,
  });
  atEnd(t).leases.push(leases);
  return { ...leases, reasons, kind: async (key: Digest = KEY) => (await leases.take([key])).kind };
}

/** A builder asks the cache before it takes a lease, and so knows what a registry can do. */
async function ready(open: () => Store): Promise<Store> {
  const store = open();
  await store.resolve(hexOf(KEY));
  return store;
}

const isFree = async (store: Store, key = KEY): Promise<boolean> => {
  const raw = await store.resolve(leaseTag(hexOf(key)));
  return raw === undefined || raw.bytes.includes('ended');
};

for (const { name, open, endsWithRecord, exact } of PLACES) {
  test(`${name}: one holds a lease until it ends, and then the next`, async (t) => {
    const opened = await open(t);
    const stores = [await ready(opened), await ready(opened)] as const;
    const [first, second] = stores.map((store) => builder(t, store, endsWithRecord));
    assert.equal(await first!.kind(), 'taken');
    assert.equal(await second!.kind(), 'held');
    assert.equal(await second!.kind(digestOf('another step')), 'taken');
    // The holder is not in its own way.
    assert.equal(await first!.kind(), 'taken');
    await first!.end(KEY, false);
    assert.equal(await second!.kind(), 'taken');
    assert.equal(await first!.kind(), 'held');
    await second!.close();
    for (const key of [KEY, digestOf('another step')]) assert.ok(await isFree(stores[0], key));
    assert.deepEqual([...first!.reasons, ...second!.reasons], []);
  });

  test(`${name}: of ten who try at once, ${exact ? 'exactly one holds it' : 'somebody holds it'}`, async (t) => {
    const opened = await open(t);
    const stores = await Promise.all(Array.from({ length: 10 }, () => ready(opened)));
    const builders = stores.map((store) => builder(t, store, endsWithRecord));
    const kinds = await Promise.all(builders.map((one) => one.kind()));
    const taken = kinds.filter((kind) => kind === 'taken').length;
    assert.ok(exact ? taken === 1 : taken >= 1, `${taken} hold it`);
    assert.equal(kinds.filter((kind) => kind === 'none').length, 0);
  });

  test(`${name}: a holder that gives no sign of life is dead by the clock of who waits`, async (t) => {
    const opened = await open(t);
    let theirs = 0;
    const dead = builder(t, await ready(opened), endsWithRecord, {
      times: SILENT_TIMES,
      clock: () => theirs,
    });
    assert.equal(await dead.kind(), 'taken');
    assert.ok(dead.holds(KEY));
    // The clocks of the two have nothing in common.
    let now = 1e12;
    const waiting = builder(t, await ready(opened), endsWithRecord, { clock: () => now });
    assert.equal(await waiting.kind(), 'held');
    now += LEASE_TIMES.dead - 1;
    assert.equal(await waiting.kind(), 'held');
    now += 2;
    assert.equal(await waiting.kind(), 'taken');
    // Whoever was believed dead, since it was stopped for a while, does not get it back.
    theirs += LEASE_TIMES.dead + 1;
    assert.deepEqual([dead.holds(KEY), await dead.kind()], [false, 'held']);
    await dead.end(KEY, false);
    const third = builder(t, await ready(opened), endsWithRecord);
    assert.equal(await third.kind(), 'held');
  });

  test(`${name}: who gets to look but seldom does not take a slow holder for dead`, async (t) => {
    const opened = await open(t);
    const holder = builder(t, await ready(opened), endsWithRecord, { times: SILENT_TIMES });
    assert.equal(await holder.kind(), 'taken');
    let now = 0;
    const times = { ...FAST_TIMES, look: LEASE_TIMES.look };
    const waiting = builder(t, await ready(opened), endsWithRecord, { times, clock: () => now });
    for (let still = 0; still <= LEASE_TIMES.dead; still += LEASE_TIMES.look) {
      assert.equal(await waiting.kind(), 'held', `${still}`);
      now += 3_600_000;
    }
    assert.equal(await waiting.kind(), 'taken');
  });

  test(`${name}: who waits goes on waiting while the place does not answer, but not for ever`, async (t) => {
    const opened = await open(t);
    const holder = builder(t, await ready(opened), endsWithRecord, { times: SILENT_TIMES });
    assert.equal(await holder.kind(), 'taken');
    const store = await ready(opened);
    let away: Error | undefined;
    const hasGone = async (): Promise<never> => {
      throw away;
    };
    const leaving: Store = {
      ...store,
      resolve: (tag, signal) => (away ? hasGone() : store.resolve(tag, signal)),
      tag: (...given) => (away ? hasGone() : store.tag(...given)),
      ...(store.create && { create: (...given) => (away ? hasGone() : store.create!(...given)) }),
    };
    const AWAY = [
      new AppError('REGISTRY', 'connection refused'),
      new DOMException('too slow', 'TimeoutError'),
      new AppError('AUTH', 'denied'),
    ];
    for (const error of AWAY) {
      away = undefined;
      let now = 0;
      const waiting = builder(t, leaving, endsWithRecord, { clock: () => now });
      assert.equal(await waiting.kind(), 'held');
      away = error;
      const transient = !(error instanceof AppError && error.code === 'AUTH');
      now += LEASE_TIMES.dead - 1;
      assert.equal(await waiting.kind(), transient ? 'held' : 'none');
      now += 2;
      assert.equal(await waiting.kind(), 'none');
      assert.equal(waiting.reasons.length, 1);
    }
  });

  for (const end of ['has ended', 'is dead'])
    test(`${name}: a lease that ${end}, and cannot be taken, is not waited for`, async (t) => {
      const opened = await open(t);
      const holder = builder(t, await ready(opened), endsWithRecord, { times: SILENT_TIMES });
      assert.equal(await holder.kind(), 'taken');
      const store = await ready(opened);
      let away = false;
      const refused = async (): Promise<never> => {
        throw new AppError('REGISTRY', 'connection refused');
      };
      const unwritable: Store = {
        ...store,
        tag: (...given) => (away ? refused() : store.tag(...given)),
        ...(store.create && { create: (...given) => (away ? refused() : store.create!(...given)) }),
        resolve: async (tag, signal) => {
          const raw = await store.resolve(tag, signal);
          // Deleted leases have left something to see.
          if (!away || end === 'is dead' || raw !== undefined) return raw;
          const annotations = { 'dev.envbuilder.lease': JSON.stringify({ holder: 'one', ended: true }) };
          const bytes = Buffer.from(JSON.stringify({ annotations }));
          const mediaType = MEDIA_TYPES.ociIndex;
          return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
        },
      };
      let now = 0;
      const waiting = builder(t, unwritable, endsWithRecord, { clock: () => now });
      assert.equal(await waiting.kind(), 'held');
      if (end === 'has ended') await holder.end(KEY, false);
      else now += LEASE_TIMES.dead + 1;
      away = true;
      assert.equal(await waiting.kind(), 'none');
      assert.equal(waiting.reasons.length, 1);
    });

  test(`${name}: what else a dead holder holds is free at once`, async (t) => {
    const opened = await open(t);
    const other = digestOf('another step');
    const dead = builder(t, await ready(opened), endsWithRecord, { times: SILENT_TIMES });
    assert.deepEqual([await dead.kind(), await dead.kind(other)], ['taken', 'taken']);
    let now = 0;
    const waiting = builder(t, await ready(opened), endsWithRecord, { clock: () => now });
    assert.equal(await waiting.kind(), 'held');
    now += LEASE_TIMES.dead + 1;
    assert.deepEqual([await waiting.kind(), await waiting.kind(other)], ['taken', 'taken']);
  });

  test(`${name}: a holder that gives signs of life keeps its lease as long as it likes`, async (t) => {
    const opened = await open(t);
    const holder = builder(t, await ready(opened), endsWithRecord);
    assert.equal(await holder.kind(), 'taken');
    let [now, seen] = [0, ''];
    const store = await ready(opened);
    const watched: Store = {
      ...store,
      resolve: async (tag, signal) => {
        const raw = await store.resolve(tag, signal);
        if (tag === leaseTag(hexOf(KEY))) seen = raw?.descriptor.digest ?? '';
        return raw;
      },
    };
    const waiting = builder(t, watched, endsWithRecord, { clock: () => now });
    let [signs, last] = [0, ''];
    const end = performance.now() + PATIENCE_MS;
    while (signs < 6) {
      assert.equal(await waiting.kind(), 'held');
      // Wait: between two looks.
      await sleep(1);
      assert.ok(performance.now() < end, 'there is no sign of life');
      if (seen === last) continue;
      last = seen;
      signs += 1;
      assert.ok(holder.holds(KEY));
      now += LEASE_TIMES.dead - 1;
    }
  });
}

/** Keys of the steps of a stage. */
const stepsOf = (count: number): readonly Digest[] =>
  Array.from({ length: count }, (_, i) => digestOf(`step ${i}`));

/** A store that counts what is written of leases. */
function counting(store: Store): { readonly counted: Store; readonly written: () => number } {
  let written = 0;
  const count = <T>(result: T): T => {
    written += 1;
    return result;
  };
  const counted: Store = {
    ...store,
    tag: (...given) => count(store.tag(...given)),
    ...(store.create && { create: (...given) => count(store.create!(...given)) }),
  };
  return { counted, written: () => written };
}

for (const { name, open, endsWithRecord } of PLACES.filter((place) => !place.endsWithRecord)) {
  /** Attempts at each step of a stage, by somebody who comes to it as others have left it. */
  const kindsFor = async (
    t: TestContext,
    store: Store,
    keys: readonly Digest[],
    deps?: Partial<LeasesDeps>,
  ) => {
    const kinds: string[] = [];
    for (const [i] of keys.entries()) {
      const one = builder(t, store, endsWithRecord, { times: SILENT_TIMES, ...deps });
      const { kind } = await one.take(keys.slice(i, i + 1), keys.slice(0, i));
      kinds.push(kind);
      await one.close();
    }
    return kinds;
  };

  test(`${name}: a lease is for the steps behind as well, and ends with the last of them`, async (t) => {
    const opened = await open(t);
    const store = await ready(opened);
    const { counted, written } = counting(store);
    const keys = stepsOf(6);
    const holder = builder(t, counted, endsWithRecord, { times: SILENT_TIMES });
    assert.equal((await holder.take(keys)).kind, 'taken');
    const all = ['held', 'held', 'held', 'held', 'taken', 'taken'];
    assert.deepEqual(await kindsFor(t, await ready(opened), keys), all);
    const before = written();
    // Who goes the same way with the holder looks at one tag, and who does not is not held up.
    const follower = builder(t, await ready(opened), endsWithRecord);
    for (const [i, key] of keys.slice(0, 4).entries()) {
      assert.deepEqual(await holder.take(keys.slice(i)), { kind: 'taken', missing: true });
      assert.equal((await follower.take(keys.slice(i), keys.slice(0, i))).kind, 'held');
      const elsewhere = await follower.take([digestOf(`elsewhere ${i}`)], keys.slice(0, i + 1));
      assert.equal(elsewhere.kind, 'taken');
      if (i > 0) await holder.end(keys[i - 1]!, true);
      assert.ok(holder.holds(key));
    }
    assert.equal(written(), before);
    await holder.end(keys[3]!, true);
    assert.ok(await isFree(store, keys[0]));
    assert.equal((await follower.take(keys.slice(3), keys.slice(0, 3))).kind, 'taken');
  });

  test(`${name}: whatever is taken and given back before, no lease is missed by who comes to its steps`, async (t) => {
    const opened = await open(t);
    const keys = stepsOf(16);
    const holder = builder(t, await ready(opened), endsWithRecord, { times: SILENT_TIMES });
    await holder.take(keys);
    holder.prepare(keys.slice(1));
    await until('the next ones are taken', async () => keys.slice(4, 12).every(holder.holds));
    for (const i of [1, 2, 5, 6, 7, 10]) await holder.end(keys[i]!, false);
    holder.prepare(keys.slice(1));
    await until('they are taken anew', async () => keys.slice(0, 12).every(holder.holds));
    const kinds = await kindsFor(t, await ready(opened), keys.slice(0, 12));
    assert.deepEqual(kinds, Array(12).fill('held'));
  });

  test(`${name}: a step that was found elsewhere does not keep a lease from its end`, async (t) => {
    const opened = await open(t);
    const store = await ready(opened);
    const keys = stepsOf(4);
    const holder = builder(t, store, endsWithRecord, { times: SILENT_TIMES });
    await holder.take(keys);
    for (const i of [2, 3]) await holder.take(keys.slice(i), keys.slice(0, i));
    for (const i of [0, 2, 3]) {
      assert.ok(!(await isFree(store, keys[0])));
      await holder.end(keys[i]!, true);
    }
    assert.ok(await isFree(store, keys[0]));
  });

  test(`${name}: a lease that is given back is free for each of its steps`, async (t) => {
    const opened = await open(t);
    const keys = stepsOf(4);
    const holder = builder(t, await ready(opened), endsWithRecord, { times: SILENT_TIMES });
    await holder.take(keys);
    const waiting = builder(t, await ready(opened), endsWithRecord);
    assert.equal((await waiting.take(keys.slice(2), keys.slice(0, 2))).kind, 'held');
    for (const key of keys) await holder.end(key, false);
    assert.deepEqual(await kindsFor(t, await ready(opened), keys), ['taken', 'taken', 'taken', 'taken']);
    assert.equal((await waiting.take(keys.slice(2), keys.slice(0, 2))).kind, 'taken');
  });

  test(`${name}: whoever goes on from the steps of a dead holder is seen by it, and by all who come later`, async (t) => {
    const opened = await open(t);
    const keys = stepsOf(6);
    let theirs = 0;
    const dead = builder(t, await ready(opened), endsWithRecord, {
      times: SILENT_TIMES,
      clock: () => theirs,
    });
    await dead.take(keys);
    const ahead = keys[4]!;
    dead.prepare(keys.slice(4));
    await until('the next ones are taken', async () => dead.holds(ahead));
    let now = 0;
    const waiting = builder(t, await ready(opened), endsWithRecord, { clock: () => now });
    const take = () => waiting.take(keys.slice(2), keys.slice(0, 2));
    assert.equal((await take()).kind, 'held');
    now += LEASE_TIMES.dead + 1;
    assert.equal((await take()).kind, 'taken');
    // It has the rest of the dead one's steps, and those alone.
    const third = builder(t, await ready(opened), endsWithRecord);
    assert.equal((await third.take(keys.slice(3), keys.slice(0, 3))).kind, 'held');
    assert.ok(waiting.holds(keys[3]!) && !waiting.holds(ahead));
    // The one that was stopped finds out, whichever of its steps it is at.
    theirs += LEASE_TIMES.dead + 1;
    for (const i of [2, 3]) assert.equal((await dead.take(keys.slice(i), keys.slice(0, i))).kind, 'held');
    await dead.close();
    assert.equal((await third.take(keys.slice(3), keys.slice(0, 3))).kind, 'held');
  });

  test(`${name}: who finds one lease lost trusts none that it had taken before`, async (t) => {
    const opened = await open(t);
    const store = await ready(opened);
    const other = digestOf('a step of another stage');
    const holder = builder(t, store, endsWithRecord);
    assert.deepEqual([await holder.kind(), await holder.kind(other)], ['taken', 'taken']);
    await until('it is found', async () => {
      await writeAsAnother(store, [KEY]);
      return !holder.holds(KEY);
    });
    assert.equal(holder.holds(other), false);
    assert.deepEqual(await holder.take([other]), { kind: 'taken', missing: false });
    assert.ok(holder.holds(other));
  });

  test(`${name}: leases that are prepared are held, a few of them, and are there at their turn`, async (t) => {
    const opened = await open(t);
    const { counted, written } = counting(await ready(opened));
    const all = stepsOf(40);
    const keys = all.slice(1);
    const holder = builder(t, counted, endsWithRecord, { times: SILENT_TIMES });
    await holder.take(all);
    const before = written();
    holder.prepare(keys);
    holder.prepare(keys);
    const other = await ready(opened);
    // Three are of the step that is made; of the others, as many as a whole lease is for.
    await until('all of them are taken', async () => keys.slice(0, 23).every(holder.holds));
    assert.equal(written() - before, 5);
    const kinds = await kindsFor(t, other, all.slice(0, 27));
    assert.deepEqual(
      kinds.map((kind) => kind === 'held'),
      kinds.map((_, i) => i < 24),
    );
    assert.deepEqual(await holder.take(keys), { kind: 'taken', missing: true });
    // A take and an end of what is on its way wait for it.
    holder.prepare(keys.slice(8));
    await holder.end(keys[23]!, false);
    assert.deepEqual(await holder.take(keys.slice(24)), { kind: 'taken', missing: true });
    await holder.close();
    for (const key of all) assert.ok(await isFree(other, key));
  });

  test(`${name}: only what is made gives signs of life, and so does what was prepared from its turn on`, async (t) => {
    const opened = await open(t);
    const other = await ready(opened);
    const seen = async (key: Digest) => (await other.resolve(leaseTag(hexOf(key))))?.descriptor.digest;
    const holder = builder(t, await ready(opened), endsWithRecord);
    const behind = digestOf('the step behind');
    assert.equal(await holder.kind(), 'taken');
    holder.prepare([behind]);
    await until('it is taken', async () => holder.holds(behind));
    const [first, early] = [await seen(KEY), await seen(behind)];
    await until('the step gives signs of life', async () => (await seen(KEY)) !== first);
    assert.equal(await seen(behind), early);
    await holder.take([behind]);
    await until('the step behind gives them as well', async () => (await seen(behind)) !== early);
  });
}

for (const { name, open, endsWithRecord } of PLACES.filter(({ exact }) => !exact)) {
  test(`${name}: of two who took a lease at once, the first finds out at its next step, and waits`, async (t) => {
    const opened = await open(t);
    const store = await ready(opened);
    const keys = stepsOf(4);
    const first = builder(t, store, endsWithRecord, { times: SILENT_TIMES });
    assert.equal((await first.take(keys)).kind, 'taken');
    // The other one has looked before that, and writes after our last look.
    await writeAsAnother(store, keys);
    assert.ok(await first.confirms(keys[0]!));
    assert.equal((await first.take(keys.slice(1), keys.slice(0, 1))).kind, 'held');
    for (const key of keys) assert.equal(await first.confirms(key), false);
  });

  test(`${name}: what is lost later, or cannot be asked for, is made all the same, and not relied on`, async (t) => {
    const opened = await open(t);
    const store = await ready(opened);
    const keys = stepsOf(4);
    let away = false;
    const asked: Store = {
      ...store,
      resolve: async (tag, signal) => {
        if (away) throw new AppError('REGISTRY', 'connection refused');
        return store.resolve(tag, signal);
      },
    };
    const holder = builder(t, asked, endsWithRecord, { times: SILENT_TIMES });
    const take = (i: number) => holder.take(keys.slice(i), keys.slice(0, i));
    await take(0);
    assert.deepEqual([(await take(1)).kind, await holder.confirms(keys[1]!)], ['taken', true]);
    away = true;
    assert.deepEqual([(await take(2)).kind, await holder.confirms(keys[2]!)], ['taken', false]);
    away = false;
    await writeAsAnother(store, keys);
    assert.deepEqual([(await take(3)).kind, await holder.confirms(keys[3]!)], ['taken', false]);
    assert.equal((await take(3)).kind, 'held');
  });
}

/** A lease of another builder on steps, over whatever is there. */
async function writeAsAnother(store: Store, keys: readonly Digest[]): Promise<void> {
  const [tag, ...steps] = keys.map((key) => leaseTag(hexOf(key)));
  const text = JSON.stringify({ holder: 'another', steps: [tag, ...steps] });
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };
  const bytes = Buffer.from(JSON.stringify({ ...index, annotations: { 'dev.envbuilder.lease': text } }));
  await store.tag(bytes, MEDIA_TYPES.ociIndex, tag);
}

for (const { name, open, endsWithRecord } of PLACES.filter(({ exact }) => exact))
  test(`${name}: who was only slow, and gives a sign of life at the last moment, keeps its lease`, async (t) => {
    const opened = await open(t);
    const tag = leaseTag(hexOf(KEY));
    const holder = builder(t, await ready(opened), endsWithRecord);
    assert.equal(await holder.kind(), 'taken');
    const store = await ready(opened);
    const first = await store.resolve(tag);
    const renewed = async (): Promise<boolean> =>
      (await store.resolve(tag))?.descriptor.digest !== first?.descriptor.digest;
    await until('a sign of life', renewed);
    let looks = 0;
    const late: Store = {
      ...store,
      resolve: async (name, signal) => {
        if (name === tag) looks += 1;
        return name === tag && looks <= 2 ? first : store.resolve(name, signal);
      },
    };
    let now = 0;
    const waiting = builder(t, late, endsWithRecord, { clock: () => now });
    assert.equal(await waiting.kind(), 'held');
    now += LEASE_TIMES.dead + 1;
    assert.equal(await waiting.kind(), 'held');
    assert.equal(looks, 3);
    assert.ok(holder.holds(KEY));
    assert.equal(await waiting.kind(), 'held');
  });

test('where tags cannot be replaced, nobody takes a lease and none is left', async (t) => {
  const registry = await startFakeRegistry();
  t.after(() => registry.close());
  registry.faults.push(({ method, path }, response) => {
    const tag = /\/manifests\/([^:/]+)$/.exec(path)?.[1];
    const there = [...registry.manifests.keys()].some((name) => tag !== undefined && name.endsWith(tag));
    if (method !== 'PUT' || !there) return false;
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: 'TAG_INVALID', message: 'immutable' }] }));
    return true;
  });
  const open = remote(t, registry.host);
  for (let round = 0; round < 3; round += 1) {
    const one = builder(t, await ready(open), false);
    assert.equal(await one.kind(), 'none');
    assert.equal(one.reasons.length, 1);
    const asked = registry.seen.length;
    assert.equal(await one.kind(digestOf('another step')), 'none');
    assert.equal(registry.seen.length, asked);
  }
  assert.deepEqual(
    [...registry.manifests.keys()].filter((name) => /lease-[0-9a-f]{64}$/.test(name)),
    [],
  );
});

for (const status of [401, 403, 405, 500, 503]) {
  test(`a registry that answers ${status} to leases is asked once, and nobody waits`, async (t) => {
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    registry.faults.push(({ method, path }, response) => {
      if (method !== 'PUT' || !path.includes('/lease')) return false;
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      return true;
    });
    const one = builder(t, await ready(remote(t, registry.host)), false);
    assert.equal(await one.kind(), 'none');
    assert.equal(one.reasons.length, 1);
    const asked = registry.seen.length;
    assert.equal(await one.kind(digestOf('another step')), 'none');
    assert.equal(registry.seen.length, asked);
  });
}

test('a store that does not answer is left alone after a while', async (t) => {
  // Wait: an answer that comes too late has no event.
  const never = (): Promise<never> => new Promise((_, reject) => setTimeout(reject, 50, timeout()).unref());
  const timeout = (): Error => new DOMException('too slow', 'TimeoutError');
  const store = { name: 'slow', resolve: never, tag: never, create: never, creates: () => true };
  const one = builder(t, store as unknown as Store, false);
  assert.equal(await one.kind(), 'none');
  assert.deepEqual(one.reasons, ['too slow']);
});

test('our registry takes the leases of all steps of a stage in one request, and ends each with its record', async (t) => {
  const server = await startTestServer(t);
  const open = remote(t, server.host);
  const [store, other] = [await ready(open), await ready(open)];
  const keys = Array.from({ length: 14 }, (_, i) => digestOf(`step ${i}`));
  const holder = builder(t, store, true, { times: SILENT_TIMES });
  assert.deepEqual(await holder.take(keys), { kind: 'taken', missing: true });
  const waiting = builder(t, other, true, { times: SILENT_TIMES });
  for (const [i, key] of keys.entries()) assert.equal(await waiting.kind(key), i < 10 ? 'held' : 'taken');
  // A record ends the lease on its step, and no other.
  await putRecord(store, keys[0]!);
  assert.ok(await isFree(store, keys[0]));
  assert.equal(await waiting.kind(keys[1]), 'held');
  // Where there is a record, a lease is not given as if there were none: it is to be read.
  assert.deepEqual(await builder(t, await ready(open), true).take([keys[0]!]), {
    kind: 'taken',
    missing: false,
  });
  // What was refused has left nothing behind.
  const { root } = server;
  const blobs = fs.readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('/data'));
  assert.ok(blobs.length <= 7, blobs.join(', '));
  await holder.close();
  for (const key of keys.slice(1, 10)) assert.ok(await isFree(store, key));
  assert.deepEqual((await checkRegistry({ root: server.root })).problems, []);
});

test('a lease for several steps, of who cannot ask our registry for a condition, outlives the record of its first', async (t) => {
  const open = remote(t, (await startTestServer(t)).host);
  const [store, other] = [await ready(open), await ready(open)];
  const unconditional = (one: Store): Store => ({ ...one, creates: () => false });
  const keys = stepsOf(4);
  const holder = builder(t, unconditional(store), false, { times: SILENT_TIMES });
  assert.equal((await holder.take(keys)).kind, 'taken');
  const waiting = builder(t, unconditional(other), false, { times: SILENT_TIMES });
  const direct = builder(t, other, true, { times: SILENT_TIMES });
  assert.deepEqual([await waiting.kind(keys[0]), await direct.kind(keys[0])], ['held', 'held']);
  await putRecord(store, keys[0]!);
  assert.equal((await waiting.take(keys.slice(1), keys.slice(0, 1))).kind, 'held');
  assert.equal((await holder.take(keys.slice(1), keys.slice(0, 1))).kind, 'taken');
  assert.ok(await holder.confirms(keys[1]!));
  for (const key of keys) await holder.end(key, true);
  assert.ok(await isFree(store, keys[0]));
});

test('nobody waits for what is no lease of ours', async (t) => {
  const store = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };
  await store.tag(Buffer.from(JSON.stringify(index)), MEDIA_TYPES.ociIndex, leaseTag(hexOf(KEY)));
  assert.equal(await builder(t, store, false).kind(), 'none');
});

test('an error that is no answer of a store is thrown', async (t) => {
  const store = { name: 'broken', creates: () => true, create: () => Promise.reject(new TypeError('a bug')) };
  await assert.rejects(builder(t, store as unknown as Store, false).take([KEY]), TypeError);
});

async function putRecord(store: Store, key: Digest): Promise<void> {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };
  await store.tag(Buffer.from(JSON.stringify(index)), MEDIA_TYPES.ociIndex, hexOf(key));
}
