import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { isTooSlow, type NetworkLimits, paced, TooSlow } from '../../core/network-limits.ts';
import { bytesSource } from '../blob-source.ts';
import { resolveImage } from '../image.ts';
import { MEDIA_TYPES } from '../media-types.ts';
import { readAll } from '../readable.ts';
import { parseReference } from '../reference.ts';
import { collect, type Fault, startFakeRegistry } from '../testing/fake-registry.ts';
import { openFakeStore } from '../testing/fake-store.ts';
import type { Store } from '../types.ts';
import { downloadFile } from './download.ts';
import { headManifest, type Repository } from './manifests.ts';
import { listTags } from './tags.ts';
import { createTransport } from './transport.ts';

const LIMITS: NetworkLimits = {
  documentMs: 150,
  answerMs: 150,
  leftoverMs: 100,
  windowMs: 150,
  windowBytes: 5000,
};

/** Sends a byte every now and then, for as long as somebody listens. */
async function drip(response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    response.write('x');
    // Wait: the server drips.
    await sleep(10);
  }
}

/** What is never whole: an answer whose body drips in, one of which nothing comes, one whose headers drip in. */
const SLOW: Readonly<Record<string, Fault>> = {
  'a body that drips in': async (_seen, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 });
    await drip(response);
    return true;
  },
  'a body without a length that drips in': async (_seen, response) => {
    response.writeHead(200);
    await drip(response);
    return true;
  },
  'an error whose body drips in': async (_seen, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    await drip(response);
    return true;
  },
  'a redirect whose body drips in': async (seen, response) => {
    if (seen.query.has('again')) return true;
    response.writeHead(307, { location: `${seen.path}?again=1` });
    await drip(response);
    return true;
  },
  'no answer': () => true,
  'headers that drip in': async (_seen, _response, request) => {
    request.socket.write('HTTP/1.1 200 OK\r\nx-long: ');
    while (!request.socket.destroyed) {
      request.socket.write('x');
      // Wait: the server drips.
      await sleep(10);
    }
    return true;
  },
};

const CONTENT = randomBytes(300_000);

type Ask = (repository: Repository, store: Store) => Promise<unknown>;

/** Requests whose answer is a small document. */
const READS: Readonly<Record<string, Ask>> = {
  'a manifest': (_repository, store) => store.resolve('v1'),
  'a list of tags': (repository) => listTags(repository),
};
/** Requests to which an answer without a body will do. */
const OTHERS: Readonly<Record<string, Ask>> = {
  'the headers of a manifest': (repository) => headManifest(repository, 'v1'),
  'the headers of a blob': (_repository, store) => store.has(digestOf(CONTENT)),
  'storing a manifest': (_repository, store) => store.tag(Buffer.from('{}'), MEDIA_TYPES.ociManifest, 'v1'),
  'beginning an upload': (_repository, store) => store.put(bytesSource(Buffer.from('small'))),
};
const CONTENTS: Readonly<Record<string, Ask>> = {
  'a blob': async (_repository, store) => collect(await store.get(digestOf(CONTENT))),
  'a part of a blob': async (_repository, store) =>
    collect(await store.get(digestOf(CONTENT), { offset: 10, length: 200_000 })),
};

const NOTHING = ['no answer', 'headers that drip in'];

for (const [what, ask] of Object.entries({ ...READS, ...OTHERS, ...CONTENTS })) {
  test(`${what} that is too slow is given up`, async (t) => {
    for (const how of what in OTHERS ? NOTHING : Object.keys(SLOW)) {
      const { registry, repository, store } = await openFakeStore(t, { limits: LIMITS });
      registry.faults.push(async (seen, response, request) =>
        seen.path === '/v2/' ? false : SLOW[how]!(seen, response, request),
      );
      const error = await ask(repository, store).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof AppError, `${how}: ${error}`);
      assert.ok(registry.seen.length <= 6, `${how}: ${registry.seen.length} requests`);
    }
  });
}

test('a token that drips in is given up', async (t) => {
  const { registry, store } = await openFakeStore(t, { limits: LIMITS });
  registry.faults.push(async (seen, response, request) => {
    if (seen.path === '/token') return SLOW['a body that drips in']!(seen, response, request);
    if (seen.path === '/v2/') return false;
    const realm = `Bearer realm="http://${registry.host}/token",service="x"`;
    response.writeHead(401, { 'www-authenticate': realm }).end();
    return true;
  });
  const errors = await Promise.allSettled([
    store.resolve('v1'),
    store.resolve('v2'),
    store.has(digestOf('x')),
  ]);
  for (const error of errors) assert.ok(error.status === 'rejected' && isTooSlow(error.reason));
  const tokens = registry.seen.filter(({ path }) => path === '/token').length;
  assert.ok(tokens <= 6, `${tokens} requests for tokens`);
});

for (const [what, ask] of Object.entries({ ...READS, ...CONTENTS })) {
  test(`${what} that came while the process could not run is taken`, async (t) => {
    const limits = { ...LIMITS, documentMs: 2000, answerMs: 2000, windowMs: 60_000 };
    const { registry, repository, store, events } = await openFakeStore(t, { limits });
    registry.addBlob(CONTENT);
    registry.manifests.set('v1', { bytes: Buffer.from('{}'), type: MEDIA_TYPES.ociManifest });
    await store.has(digestOf('x'));
    const answer = ask(repository, store);
    // Wait: the request is on its way.
    await sleep(1);
    // Wait: for longer than the limit, as if it got no processor.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.1 * limits.answerMs);
    await answer;
    assert.deepEqual(
      events.filter(({ type }) => type === 'retry'),
      [],
    );
  });
}

test('the first request of all is bounded as well', async (t) => {
  const { registry, store } = await openFakeStore(t, { limits: LIMITS });
  registry.faults.push(() => true);
  await assert.rejects(store.resolve('v1'), AppError);
});

test('a server that was too slow twice is asked once from then on', async (t) => {
  const { registry, store } = await openFakeStore(t, { limits: LIMITS });
  registry.faults.push(async (seen, response, request) =>
    seen.path === '/v2/' ? false : SLOW['a body that drips in']!(seen, response, request),
  );
  for (let i = 0; i < 3; i += 1) await assert.rejects(store.resolve(`v${i}`), AppError);
  const asked = registry.seen.filter(({ path }) => path.includes('/manifests/')).length;
  assert.equal(asked, 4);
});

test('redirects share the time of one document, and pages that of one list', async (t) => {
  const { registry, repository, store } = await openFakeStore(t, {
    limits: { ...LIMITS, documentMs: 400, answerMs: 400 },
  });
  registry.faults.push(async (seen, response) => {
    if (seen.path === '/v2/') return false;
    // Wait: each answer takes a part of the time that all have.
    await sleep(150);
    const next = Number(seen.query.get('last') ?? 0) + 1;
    if (seen.path.endsWith('/tags/list')) {
      response.setHeader('link', `<${seen.path}?last=${next}>; rel="next"`);
      response.end(JSON.stringify({ name: 'a/b', tags: [`t${next}`] }));
    } else response.writeHead(307, { location: `${seen.path}?last=${next}` }).end();
    return true;
  });
  await assert.rejects(store.resolve('v1'), (error) => isTooSlow(error));
  await assert.rejects(listTags(repository), (error) => isTooSlow(error));
  assert.ok(registry.seen.length < 14, `${registry.seen.length} requests`);
});

test('informational answers do not put off the end of waiting', async (t) => {
  const { registry, store } = await openFakeStore(t, { limits: { ...LIMITS, answerMs: 300 } });
  registry.faults.push(async (seen, response) => {
    if (!seen.path.includes('/blobs/')) return false;
    while (!response.destroyed) {
      response.writeProcessing();
      // Wait: they come for as long as somebody listens.
      await sleep(20);
    }
    return true;
  });
  await assert.rejects(store.get(digestOf(CONTENT)), (error) => isTooSlow(error));
});

test('content that keeps to the least throughput is read, however long it takes', async (t) => {
  // The server and its reader share a busy machine.
  const limits = { ...LIMITS, documentMs: 2000, answerMs: 60_000, windowMs: 2000 };
  const { registry, store } = await openFakeStore(t, { limits });
  const digest = registry.addBlob(CONTENT);
  registry.faults.push(async (seen, response) => {
    if (!seen.path.includes('/blobs/')) return false;
    response.writeHead(200, { 'content-length': CONTENT.length });
    for (let at = 0; at < CONTENT.length; at += 10_000) {
      response.write(CONTENT.subarray(at, at + 10_000));
      // Wait: it is slow on purpose.
      await sleep(230);
    }
    response.end();
    return true;
  });
  const start = performance.now();
  assert.ok((await collect(await store.get(digest))).equals(CONTENT));
  assert.ok(performance.now() - start > 3 * limits.documentMs, 'it took longer than a document may');
});

test('a reader that takes its time is not the fault of the server', async () => {
  async function* chunks() {
    for (let i = 0; i < 5; i += 1) yield Buffer.from('x');
  }
  let read = 0;
  for await (const chunk of paced(chunks(), { windowMs: 20, windowBytes: 100 })) {
    read += chunk.length;
    // Wait: it is slow on purpose.
    await sleep(20);
  }
  assert.equal(read, 5);
});

test('a small file that is too slow is given up', async (t) => {
  const registry = await startFakeRegistry();
  const transport = createTransport({ limits: LIMITS });
  t.after(async () => {
    await registry.close();
    await transport.close();
  });
  registry.faults.push(SLOW['a body that drips in']!);
  const options = {
    limit: 1_000_000,
    limits: LIMITS,
    policy: { attempts: 5, baseDelayMs: 1, maxDelayMs: 1 },
  };
  await assert.rejects(downloadFile(transport, `http://${registry.host}/x`, options), AppError);
  assert.equal(registry.seen.length, 2);
});

test('a stream that is to be small must end in time', async () => {
  const endless = new Readable({ read: () => {} });
  await assert.rejects(
    readAll(endless, 10, () => new Error('long'), 50),
    TooSlow,
  );
  assert.ok(endless.destroyed);
});

test('so must the config of an image', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf('x'), size: 1 };
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [] }),
  );
  const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length };
  const asked = Promise.withResolvers<void>();
  const store: Store = {
    name: 'slow',
    has: async () => 1,
    get: async () => {
      asked.resolve();
      return new Readable({ read: () => {} });
    },
    resolve: async () => ({ descriptor, bytes }),
    put: async () => 'stored',
    tag: async () => descriptor,
  };
  const platform = { os: 'linux', architecture: 'amd64' };
  const resolved = resolveImage(store, parseReference('slow.example/x:1'), platform);
  resolved.catch(() => {});
  await asked.promise;
  await new Promise(setImmediate);
  t.mock.timers.tick(120_000);
  await assert.rejects(resolved, { code: 'REGISTRY' });
});
