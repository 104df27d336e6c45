import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { digestOf } from '../src/core/digest.ts';
import { createFileLayerWriter } from '../src/layer/file-layer-writer.ts';
import { bytesSource } from '../src/oci/blob-source.ts';
import { canonicalJson } from '../src/oci/canonical-json.ts';
import { createRegistryClient } from '../src/oci/http/client.ts';
import { MEDIA_TYPES } from '../src/oci/media-types.ts';
import { createRemoteStore } from '../src/oci/remote-store.ts';
import type { LayerEntry } from '../src/tar/types.ts';
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

/**
 * Entries of the two base images, and what each may cost: 320 to 350 bytes here, over 1,100 with an object for each. Both
 * are many, since the heap of a build grows by 30 MiB over one of a few files, whatever those cost.
 */
const FEW = 50_000;
const MANY = 200_000;
const MOST_BYTES_EACH = 600;

test('memory grows by little for each file of a base image', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const { host } = services.registry!;
  const peaks: number[] = [];
  for (const count of [FEW, MANY]) {
    const box = createSandbox({ Dockerfile: `FROM ${host}/files:${count}\nCOPY Dockerfile /\n` });
    t.after(() => box.close());
    await pushFiles(host, count, box.path('layer'));
    const built = await box.build([]);
    assert.equal(built.code, 0, built.output);
    peaks.push(built.peakMiB);
    box.close();
  }
  const [few = 0, many = 0] = peaks;
  const each = ((many - few) * 2 ** 20) / (MANY - FEW);
  t.diagnostic(`${Math.round(few)} MiB and ${Math.round(many)} MiB, ${Math.round(each)} bytes for each file`);
  assert.ok(each <= MOST_BYTES_EACH, `${each} bytes for each file`);
});

/** Pushes an image with one gzip layer of empty files, directories and links. */
async function pushFiles(host: string, count: number, file: string): Promise<void> {
  const writer = createFileLayerWriter(file, { compression: 'gzip' });
  for (let i = 0; i < count; i += 1) {
    const type = (['file', 'file', 'symlink', 'dir'] as const)[i % 4]!;
    const entry: LayerEntry = {
      ...{ path: `d${Math.floor(i / 1000)}/name-${i}`, type, mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0 },
      ...{ mtimeNsec: 0, linkname: type === 'symlink' ? `target-${i}` : '', devmajor: 0, devminor: 0 },
    };
    await writer.add(entry);
  }
  const { diffId, mediaType, digest, size } = await writer.finish();
  const config = canonicalJson({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [diffId] },
  });
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType, digest, size }],
  });
  const client = createRegistryClient();
  try {
    const store = createRemoteStore({ client, registry: host, repository: 'files' });
    await store.put(bytesSource(readFileSync(file)));
    await store.put(bytesSource(config));
    await store.tag(manifest, MEDIA_TYPES.ociManifest, String(count));
  } finally {
    await client.close();
  }
}
