import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { digestOf } from '../src/core/digest.ts';
import { bytesSource } from '../src/oci/blob-source.ts';
import { createRegistryClient } from '../src/oci/http/client.ts';
import type { RegistryClient } from '../src/oci/http/types.ts';
import { MEDIA_TYPES } from '../src/oci/media-types.ts';
import { createRemoteStore } from '../src/oci/remote-store.ts';
import type { Manifest } from '../src/oci/types.ts';
import { type RegistryServer, startRegistryServer } from '../src/registry/server.ts';
import { envbuilder } from './support/envbuilder.ts';
import { type FaultProxy, type Rule, startFaultProxy } from './support/fault-proxy.ts';

/* An image that envbuilder has pushed, as the base of a build. */

/** Four files, in a layer that is read in several parts. */
const FILES = Array.from({ length: 4 }, (_, i) => [`f${i}`, randomBytes(1 << 20)] as const);
const TOC = 'dev.envbuilder.toc';

let dir: string;
let server: RegistryServer;
let registry: string;
let client: RegistryClient;
/** The image, by its digest, and what it says of its one layer. */
let image: string;
let manifest: Manifest;

before(async () => {
  dir = temporaryDir('own-bases');
  server = await startRegistryServer({ root: join(dir, 'registry'), host: '127.0.0.1', port: 0 });
  registry = new URL(server.url).host;
  client = createRegistryClient();
  const context = join(dir, 'base');
  mkdirSync(context);
  for (const [name, content] of FILES) writeFileSync(join(context, name), content);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY f* /files/\n');
  const made = await envbuilder(['build', context, `--cache-repo=${registry}/base`, '--push-image']);
  assert.equal(made.code, 0, made.output);
  image = made.stdout.trim();
  manifest = await manifestOf('base', image);
});
after(async () => {
  await client?.close();
  await server?.close(0);
  rmSync(dir, { recursive: true, force: true });
});

async function manifestOf(repository: string, digest: string): Promise<Manifest> {
  const found = await createRemoteStore({ client, registry, repository }).resolve(digest);
  return JSON.parse(found!.bytes.toString('utf8'));
}

/** Pushes the image once more, as something has changed it. @returns its digest */
async function changed(change: (made: Manifest) => Manifest, more: readonly Buffer[] = []): Promise<string> {
  const store = createRemoteStore({ client, registry, repository: 'base' });
  for (const bytes of more) await store.put(bytesSource(bytes));
  const bytes = Buffer.from(JSON.stringify(change(manifest)));
  await store.tag(bytes, MEDIA_TYPES.ociManifest, undefined);
  return digestOf(bytes);
}

const withToc =
  (text: string) =>
  (made: Manifest): Manifest => ({
    ...made,
    layers: made.layers.map((layer) => ({ ...layer, annotations: { [TOC]: text } })),
  });

let runs = 0;
/** A build upon an image of the proxy's registry, and whether all its files are there. */
async function build(proxy: FaultProxy, base: string, repository: string, ...more: readonly string[]) {
  runs += 1;
  const [context, root] = [join(dir, `context-${repository.replace('/', '-')}`), join(dir, `root-${runs}`)];
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'file'), 'content\n');
  writeFileSync(join(context, 'Dockerfile'), `FROM ${proxy.host}/base@${base}\nCOPY file /file\n`);
  const cache = `--cache-repo=${registry}/${repository}`;
  const built = await envbuilder(['build', context, cache, `--output=${root}`, ...more]);
  if (built.code === 0)
    for (const [name, content] of FILES)
      assert.ok(readFileSync(join(root, 'files', name)).equals(content), name);
  return built;
}

async function through<T>(rule: Rule | undefined, work: (proxy: FaultProxy) => Promise<T>): Promise<T> {
  const proxy = await startFaultProxy(registry, rule);
  try {
    return await work(proxy);
  } finally {
    await proxy.stop();
  }
}

test('the image names the table of its layer, and so does an image upon it', async () => {
  assert.ok(manifest.layers[0]!.annotations![TOC]);
  const probed = await envbuilder(['probe', join(dir, 'base'), `--cache-repo=${registry}/base`]);
  assert.match(probed.stdout, new RegExp(image), 'a probe knows the digest of the image by its records');
  const upon = await through(undefined, (proxy) => build(proxy, image, 'upon', '--push-image'));
  const { layers } = await manifestOf('upon', upon.stdout.trim());
  assert.deepEqual(layers[0], manifest.layers[0]);
  assert.deepEqual(layers[1]!.annotations, undefined);
});

test('it is read in parts where nothing is stored, and else as the stream of which keys name the digest', async () => {
  const parts = (base: string, repository: string) =>
    through(undefined, async (proxy) => {
      const { code, output } = await build(proxy, base, repository);
      assert.equal(code, 0, output);
      assert.doesNotMatch(output, /warning/);
      return proxy.kinds().has('read a part');
    });
  assert.equal(await parts(image, 'parts'), false);
  assert.equal(await parts(image, 'parts'), true);
  const plain = await changed((made) => ({
    ...made,
    layers: made.layers.map(({ annotations, ...layer }) => layer),
  }));
  assert.equal(await parts(plain, 'parts'), false);
});

test('a part that is wrong has the layer read as a whole', async () => {
  assert.equal((await through(undefined, (proxy) => build(proxy, image, 'wrong'))).code, 0);
  const rule = { kind: 'read a part', fault: 'wrong digest', times: Number.POSITIVE_INFINITY } as const;
  await through(rule, async (proxy) => {
    const { code, output } = await build(proxy, image, 'wrong');
    assert.equal(code, 0, output);
    assert.match(output, /the base layer sha256:[0-9a-f]{64} is read once more/);
    assert.ok(proxy.injected() > 0);
  });
});

const value = (): string => manifest.layers[0]!.annotations![TOC]!;
const TABLES: Readonly<Record<string, readonly [change: () => string, isTried: boolean]>> = {
  'another place': [() => value().replace(/:([0-9]+):/, (_, at) => `:${Number(at) - 1}:`), true],
  'another digest': [() => value().replace(/[0-9a-f]{64}$/, 'ab'.repeat(32)), true],
  'another layer': [() => value().replace(/:[0-9a-f]{64}:/, `:${'ab'.repeat(32)}:`), false],
  'no sense': [() => 'x', false],
};
for (const [what, [change, isTried]] of Object.entries(TABLES))
  test(`an annotation that names ${what} costs no more than reading the layer as a whole`, async () => {
    const base = await changed(withToc(change()));
    const repository = `table/${what.replace(' ', '-')}`;
    assert.equal((await through(undefined, (proxy) => build(proxy, base, repository))).code, 0);
    const again = await through(undefined, (proxy) => build(proxy, base, repository));
    assert.equal(again.code, 0, again.output);
    assert.equal(/is read once more/.test(again.output), isTried, again.output);
  });

test('an image whose config lies about the layer gets no record, whatever it says of a table', async () => {
  const store = createRemoteStore({ client, registry, repository: 'base' });
  const stream = await store.get(manifest.config.digest);
  const config = Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>));
  const lie = Buffer.from(config.toString().replace(/sha256:[0-9a-f]{64}/, digestOf(Buffer.from('other'))));
  const described = { ...manifest.config, digest: digestOf(lie), size: lie.length };
  const base = await changed((made) => ({ ...made, config: described }), [lie]);
  const { code, output } = await through(undefined, (proxy) => build(proxy, base, 'lied-to'));
  assert.notEqual(code, 0);
  assert.match(output, /as the image's config says/);
  const tags = await fetch(`http://${registry}/v2/lied-to/tags/list`);
  assert.deepEqual(((await tags.json()) as { tags?: string[] }).tags ?? [], []);
});
