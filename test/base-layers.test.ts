import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { runBuild } from '../src/builder/build.ts';
import type { BuildRequest } from '../src/builder/types.ts';
import { digestOf, hexOf } from '../src/core/digest.ts';
import type { Event } from '../src/core/events.ts';
import { bytesSource } from '../src/oci/blob-source.ts';
import { canonicalJson } from '../src/oci/canonical-json.ts';
import { createRegistryClient } from '../src/oci/http/client.ts';
import { MEDIA_TYPES } from '../src/oci/media-types.ts';
import { createRemoteStore } from '../src/oci/remote-store.ts';
import type { Descriptor } from '../src/oci/types.ts';
import { type RegistryServer, startRegistryServer } from '../src/registry/server.ts';
import { ustarEnd, ustarHeader, ustarPadding } from '../src/tar/file-header.ts';
import { requestFor, warm } from './support/fault-matrix.ts';
import { type FaultProxy, type Rule, startFaultProxy } from './support/fault-proxy.ts';

/** Too much to be overlooked among what else is pulled. */
const CONTENT = randomBytes(2_000_000);
const LAYER = gzipSync(
  Buffer.concat([ustarHeader('large', CONTENT.length), CONTENT, ustarPadding(CONTENT.length), ustarEnd()]),
);
const CONFIG = canonicalJson({
  architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
  os: 'linux',
  config: { Env: ['A=b'] },
  rootfs: {
    type: 'layers',
    diff_ids: [
      digestOf(
        Buffer.concat([
          ustarHeader('large', CONTENT.length),
          CONTENT,
          ustarPadding(CONTENT.length),
          ustarEnd(),
        ]),
      ),
    ],
  },
});
const MANIFEST = canonicalJson({
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(CONFIG), size: CONFIG.length },
  layers: [{ mediaType: `${MEDIA_TYPES.ociLayer}+gzip`, digest: digestOf(LAYER), size: LAYER.length }],
});
const layerPath = new RegExp(digestOf(LAYER));

let dir: string;
let server: RegistryServer;
let registry: string;
before(async () => {
  dir = temporaryDir('base-layers');
  server = await startRegistryServer({ root: join(dir, 'registry'), host: '127.0.0.1', port: 0 });
  registry = new URL(server.url).host;
  mkdirSync(join(dir, 'context'));
  writeFileSync(join(dir, 'context/file'), 'content\n');
  const client = createRegistryClient();
  const store = createRemoteStore({ client, registry, repository: 'base' });
  for (const bytes of [LAYER, CONFIG]) await store.put(bytesSource(bytes));
  await store.tag(MANIFEST, MEDIA_TYPES.ociManifest, '1');
  await client.close();
});
after(async () => {
  await server?.close(0);
  rmSync(dir, { recursive: true, force: true });
});

let runs = 0;
function place(): string {
  runs += 1;
  const own = join(dir, `run-${runs}`);
  mkdirSync(own);
  return own;
}

interface Outcome {
  readonly own: string;
  readonly bytesPulled: number;
  readonly warnings: readonly string[];
}

/** A build whose base is at one address, and its cache at another. */
async function build(
  baseHost: string,
  cacheHost: string,
  repository: string,
  change: (request: BuildRequest, own: string) => BuildRequest = (request) => request,
): Promise<Outcome> {
  const own = place();
  const warnings: string[] = [];
  const emit = (event: Event): void => void (event.type === 'warning' && warnings.push(event.text));
  const request = change(requestFor(dir, own, cacheHost, repository, 'start', baseHost), own);
  const { signal } = new AbortController();
  const { summary } = await runBuild(request, { emit, signal });
  return { own, bytesPulled: summary.bytesPulled, warnings };
}

const rootfs = ({ own }: Outcome): Buffer => readFileSync(join(own, 'root/large'));

async function through(rule: Rule | undefined, work: (proxy: FaultProxy) => Promise<void>): Promise<void> {
  const proxy = await startFaultProxy(registry, rule);
  try {
    await work(proxy);
  } finally {
    await proxy.stop();
  }
}

const fault = (kind: Rule['kind'], times: number, name: RegExp): Rule => ({
  kind,
  fault: 'wrong digest',
  times,
  name,
});

const warmInto = (own: string, ...more: readonly string[]): Promise<void> =>
  warm(own, registry, { emit: () => {}, signal: new AbortController().signal }, more);

/** A directory of base images, as our warmer fills it; or with the files of kaniko's layout alone. */
async function bases(layout: 'oci' | 'kaniko', ...more: readonly string[]): Promise<string> {
  const own = place();
  await warmInto(own, ...more);
  const found = join(own, 'bases');
  if (layout === 'kaniko')
    for (const name of ['oci-layout', 'index.json', 'blobs']) rmSync(join(found, name), { recursive: true });
  return found;
}

const withBases =
  (path: string, more: Partial<BuildRequest> = {}, copies = false) =>
  (request: BuildRequest): BuildRequest => ({
    ...request,
    ...more,
    registries: { ...request.registries, baseImages: { dir: path, requireRegistry: false, copies } },
  });

for (const layout of ['oci', 'kaniko'] as const) {
  test(`a directory of base images is read first, also where the cache holds copies (${layout})`, async () => {
    const path = await bases(layout);
    const repository = `dir/${layout}`;
    const first = await build(registry, registry, repository, withBases(path, { push: true }));
    assert.ok(rootfs(first).equals(CONTENT));
    const kinds: Record<string, (request: BuildRequest, own: string) => BuildRequest> = {
      'a start that takes all from the cache': withBases(path),
      'a build that runs its steps again': withBases(path, { noCache: true }),
      'another push': withBases(path, { push: true, noCache: true }),
      'three outputs': (request, own) =>
        withBases(path, {
          outputs: [
            ...request.outputs,
            { type: 'oci', path: join(own, 'layout') },
            { type: 'docker', path: join(own, 'image.tar') },
          ],
        })(request),
      'a push to another repository': withBases(path, {
        push: true,
        tags: [`${registry}/dir/other:${layout}`],
      }),
    };
    for (const [what, change] of Object.entries(kinds)) {
      const again = await build(registry, registry, repository, change);
      assert.ok(rootfs(again).equals(CONTENT), what);
      assert.ok(again.bytesPulled < 100_000, `${what}: ${again.bytesPulled} bytes were pulled`);
    }
  });
}

test('without the directory the layers of the base are pulled once for a root file system', async () => {
  await build(registry, registry, 'once', (request) => ({ ...request, push: true }));
  const again = await build(registry, registry, 'once');
  assert.ok(again.bytesPulled < 1.5 * LAYER.length, `${again.bytesPulled} bytes were pulled`);
});

test('a base layer that is wrong once is read once more, and one that is wrong twice is CORRUPT', async () => {
  await through(fault('read a blob', 1, layerPath), async (proxy) => {
    const built = await build(proxy.host, registry, 'wrong/once');
    assert.ok(rootfs(built).equals(CONTENT));
    assert.equal(proxy.injected(), 1);
    assert.match(built.warnings.join('\n'), /read once more/);
  });
  await through(fault('read a blob', Number.POSITIVE_INFINITY, layerPath), async (proxy) => {
    await assert.rejects(build(proxy.host, registry, 'wrong/twice'), { code: 'CORRUPT' });
    assert.equal(proxy.injected(), 2);
  });
});

test('so are the manifest and the config of a base', async () => {
  const rules: Record<string, Rule> = {
    manifest: fault('look up a manifest', 1, /base\/manifests/),
    config: fault('read a blob', 1, new RegExp(digestOf(CONFIG))),
  };
  for (const [what, rule] of Object.entries(rules)) {
    await through(rule, async (proxy) => {
      assert.ok(rootfs(await build(proxy.host, registry, `wrong/${what}`)).equals(CONTENT), what);
      assert.equal(proxy.injected(), 1, what);
    });
    await through({ ...rule, times: Number.POSITIVE_INFINITY }, async (proxy) => {
      await assert.rejects(build(proxy.host, registry, `wrong/${what}2`), { code: 'CORRUPT' }, what);
      assert.equal(proxy.injected(), 2, what);
    });
  }
});

test('a base whose config lies about its layers gets no record, under which others would find its steps', async () => {
  const client = createRegistryClient();
  const lies = createRemoteStore({ client, registry, repository: 'lies/base' });
  const config = Buffer.from(
    CONFIG.toString('utf8').replace(/sha256:[0-9a-f]{64}/, digestOf(Buffer.from('other'))),
  );
  const manifest = JSON.parse(MANIFEST.toString('utf8'));
  manifest.config = { ...manifest.config, digest: digestOf(config), size: config.length };
  for (const bytes of [LAYER, config]) await lies.put(bytesSource(bytes));
  await lies.tag(canonicalJson(manifest), MEDIA_TYPES.ociManifest, '1');
  const tried = build(`${registry}/lies`, registry, 'lied-to');
  await assert.rejects(tried, { code: 'CORRUPT', message: /as the image's config says/ });
  const tags = await fetch(`http://${registry}/v2/lied-to/tags/list`);
  assert.deepEqual(((await tags.json()) as { tags?: string[] }).tags ?? [], []);
  await client.close();
});

test('a damaged copy in the directory is passed over for the registry, which has a second try of its own', async () => {
  for (const layout of ['oci', 'kaniko'] as const) {
    const path = await bases(layout);
    const [file] = globSync(
      layout === 'oci' ? `${path}/blobs/sha256/${hexOf(digestOf(LAYER))}` : `${path}/sha256:*`,
    ).filter((name) => !name.endsWith('.json'));
    const fd = openSync(file!, 'r+');
    writeSync(fd, Buffer.from('damage'), 0, 6, 1_000_000);
    await through(fault('read a blob', 1, layerPath), async (proxy) => {
      const built = await build(proxy.host, registry, `damaged/${layout}`, withBases(path));
      assert.ok(rootfs(built).equals(CONTENT), layout);
      assert.equal(proxy.injected(), 1, layout);
    });
  }
});

test('a damaged copy in the cache, or of a mirror, is passed over as well', async () => {
  await build(registry, registry, 'copies', (request) => ({ ...request, push: true }));
  await through(fault('read a blob', Number.POSITIVE_INFINITY, layerPath), async (proxy) => {
    const built = await build(registry, proxy.host, 'copies', (request) => ({ ...request, noCache: true }));
    assert.ok(rootfs(built).equals(CONTENT));
    assert.equal(proxy.injected(), 1);
    const mirrored = await build(registry, registry, 'mirrored', (request) => ({
      ...request,
      registries: { ...request.registries, mirrorMap: [{ registry, mirror: proxy.host }] },
    }));
    assert.ok(rootfs(mirrored).equals(CONTENT));
    assert.equal(proxy.injected(), 2);
  });
});

/** Where a directory of base images has the layer, the kaniko archive that holds it too, and the layer's copy. */
function filesOf(path: string): { readonly layer: readonly string[]; readonly copy: string } {
  const blob = (digest: string): string => join(path, 'blobs/sha256', digest.replace('sha256:', ''));
  const { manifests } = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'));
  const tag = `converted-${hexOf(digestOf(LAYER))}`;
  const { digest } = manifests.find(
    (one: Descriptor) => one.annotations?.['org.opencontainers.image.ref.name'] === tag,
  );
  const [copy] = JSON.parse(readFileSync(blob(digest), 'utf8')).layers;
  const archives = globSync(`${path}/sha256:*`).filter((name) => !name.endsWith('.json'));
  return { layer: [blob(digestOf(LAYER)), ...archives], copy: blob(copy.digest) };
}

function damage(file: string): void {
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.from('damage'), 0, 6, 1_000_000);
  closeSync(fd);
}

test('a layer that was converted is unpacked from its copy, or else from itself, or else from the registry', async () => {
  const path = await bases('oci', '--convert');
  const { layer, copy } = filesOf(path);
  const built = async (name: string, copies = true): Promise<Outcome> => {
    const outcome = await build(registry, registry, `converted/${name}`, withBases(path, {}, copies));
    assert.ok(rootfs(outcome).equals(CONTENT), name);
    return outcome;
  };
  for (const file of layer) damage(file);
  // Nobody unpacks a copy who was not told to.
  const untold = await built('untold', false);
  assert.ok(untold.bytesPulled >= LAYER.length);
  const fromCopy = await built('copy');
  assert.deepEqual(fromCopy.warnings, []);
  assert.ok(fromCopy.bytesPulled < LAYER.length);
  damage(copy);
  const fromRegistry = await built('registry');
  assert.equal(fromRegistry.warnings.length, 2, fromRegistry.warnings.join('\n'));
  for (const text of fromRegistry.warnings)
    assert.match(text, new RegExp(`${digestOf(LAYER)} cannot be read and is left out`));
  assert.ok(fromRegistry.bytesPulled >= LAYER.length);
  await warmInto(join(path, '..'), '--convert', '--force');
  const mended = await built('mended');
  assert.deepEqual(mended.warnings, []);
  damage(copy);
  const fromLayer = await built('layer');
  assert.equal(fromLayer.warnings.length, 1, fromLayer.warnings.join('\n'));
  assert.ok(fromLayer.bytesPulled < LAYER.length);
});

test('a directory that was warmed gets copies later, once', async () => {
  const path = await bases('oci');
  const own = join(path, '..');
  await warmInto(own, '--convert');
  const { copy } = filesOf(path);
  const { ino } = statSync(copy);
  await warmInto(own, '--convert');
  await warmInto(own, '--convert', '--force');
  assert.equal(statSync(copy).ino, ino);
  await assert.rejects(bases('oci', '--convert', '--layout', 'kaniko'), { code: 'USAGE' });
});
