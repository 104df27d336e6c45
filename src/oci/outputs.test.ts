import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { tempDir } from '../core/testing.ts';
import { ustarHeader } from '../tar/file-header.ts';
import { bytesSource } from './blob-source.ts';
import { canonicalJson } from './canonical-json.ts';
import { type ArchiveLayer, writeDockerArchive } from './docker-archive.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { createOciLayoutStore } from './oci-layout.ts';
import { collect } from './testing/fake-registry.ts';
import { oneFileTar, putImage } from './testing/images.ts';

const run = promisify(execFile);
const noSkopeo: string | false = fs.existsSync('/usr/bin/skopeo') ? false : 'skopeo is not installed';

test('an OCI layout keeps one entry per tag', async (t) => {
  const dir = join(tempDir(t), 'layout');
  const store = createOciLayoutStore(dir);
  await putImage(store, 'v1', 'amd64');
  const second = await putImage(store, 'v1', 'arm64');
  const third = await putImage(createOciLayoutStore(dir), 'v2', 'amd64');
  const index = JSON.parse(fs.readFileSync(join(dir, 'index.json'), 'utf8'));
  assert.deepEqual(
    index.manifests.map((entry: { digest: string }) => entry.digest),
    [second.digest, third.digest],
  );
  assert.deepEqual((await store.resolve('v1'))?.descriptor, second);
  assert.deepEqual((await store.resolve(third.digest))?.descriptor, third);
  assert.equal(await store.resolve('v3'), undefined);
  assert.equal(await store.put(bytesSource((await store.resolve('v1'))!.bytes)), 'exists');
  assert.deepEqual(fs.readdirSync(dir).sort(), ['blobs', 'index.json', 'oci-layout']);
});

test('a directory that holds something else is refused', (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(join(dir, 'mine'), '');
  for (const path of [dir, join(dir, 'mine')]) {
    assert.throws(
      () => createOciLayoutStore(path),
      (error) => error instanceof AppError && error.code === 'OUTPUT',
    );
  }
});

test('skopeo reads the layout', { skip: noSkopeo }, async (t) => {
  const dir = tempDir(t);
  await putImage(createOciLayoutStore(join(dir, 'layout')), 'v1');
  await run('skopeo', ['copy', `oci:${dir}/layout:v1`, `dir:${dir}/out`]);
  assert.ok(fs.existsSync(join(dir, 'out/manifest.json')));
});

const TARS = ['one', 'two', 'three'].map((name) => oneFileTar(name, `content of ${name}`));

function archiveLayers(): ArchiveLayer[] {
  const [one, two, three] = TARS as [Buffer, Buffer, Buffer];
  const layer = (tar: Buffer, mediaType: string, blob: Buffer, tarSize?: number): ArchiveLayer => ({
    mediaType,
    diffId: digestOf(tar),
    size: blob.length,
    ...(tarSize === undefined ? {} : { tarSize }),
    open: async () => Readable.from([blob], { objectMode: false }),
  });
  const frames = Buffer.concat([zstdCompressSync(one.subarray(0, 700)), zstdCompressSync(one.subarray(700))]);
  return [
    layer(one, MEDIA_TYPES.ociLayerZstd, frames),
    layer(two, MEDIA_TYPES.ociLayerZstd, zstdCompressSync(two), two.length),
    layer(three, MEDIA_TYPES.ociLayerGzip, gzipSync(three)),
    layer(one, MEDIA_TYPES.ociLayerZstd, frames),
  ];
}

function archiveConfig(): Buffer {
  const diffIds = archiveLayers().map(({ diffId }) => diffId);
  return canonicalJson({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } });
}

test('a docker archive holds plain layers once, the config, and the tags', async (t) => {
  const dir = tempDir(t);
  const config = archiveConfig();
  const out = fs.createWriteStream(join(dir, 'image.tar'));
  await writeDockerArchive({ config, layers: archiveLayers(), tags: ['app', 'r.example/app:v1'] }, out);
  await run('tar', ['-xf', 'image.tar'], { cwd: dir });
  const [manifest] = JSON.parse(fs.readFileSync(join(dir, 'manifest.json'), 'utf8'));
  assert.deepEqual(manifest.RepoTags, ['app:latest', 'r.example/app:v1']);
  assert.equal(manifest.Config, `${hexOf(digestOf(config))}.json`);
  assert.deepEqual(fs.readFileSync(join(dir, manifest.Config)), config);
  assert.deepEqual(
    manifest.Layers,
    archiveLayers().map(({ diffId }) => `${hexOf(diffId)}.tar`),
  );
  assert.deepEqual(fs.readFileSync(join(dir, manifest.Layers[0])), TARS[0]);
  assert.deepEqual(fs.readFileSync(join(dir, manifest.Layers[1])), TARS[1]);
  const { stdout } = await run('tar', ['-tf', 'image.tar'], { cwd: dir });
  assert.equal(stdout.trim().split('\n').length, 5);
});

test('the same image makes the same archive', async () => {
  const make = async () => {
    const out = new PassThrough();
    const [bytes] = await Promise.all([
      collect(out),
      writeDockerArchive({ config: archiveConfig(), layers: archiveLayers(), tags: [] }, out),
    ]);
    return digestOf(bytes);
  };
  assert.equal(await make(), await make());
});

test('skopeo reads the archive', { skip: noSkopeo }, async (t) => {
  const dir = tempDir(t);
  const out = fs.createWriteStream(join(dir, 'image.tar'));
  await writeDockerArchive({ config: archiveConfig(), layers: archiveLayers(), tags: ['app:v1'] }, out);
  await run('skopeo', ['copy', `docker-archive:${dir}/image.tar:app:v1`, `oci:${dir}/out:v1`]);
  assert.ok(fs.existsSync(join(dir, 'out/index.json')));
});

test('a layer that is not as long as it says, and an output that fails, are errors', async () => {
  const [first, second] = archiveLayers() as [ArchiveLayer, ArchiveLayer];
  const config = archiveConfig();
  const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const wrong = { config, layers: [{ ...second, tarSize: 5 }], tags: [] };
  await assert.rejects(
    writeDockerArchive(wrong, sink()),
    (error) => error instanceof AppError && error.code === 'CORRUPT',
  );
  const broken = {
    ...first,
    open: async () => Readable.from([Buffer.from('not zstd')], { objectMode: false }),
  };
  await assert.rejects(writeDockerArchive({ config, layers: [broken], tags: [] }, sink()));
  const full = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('full'), { code: 'ENOSPC' })),
  });
  await assert.rejects(
    writeDockerArchive({ config, layers: archiveLayers(), tags: [] }, full),
    (error) => error instanceof AppError && error.code === 'DISK_FULL',
  );
});

test('sizes of 8 GiB and more are written in base 256', () => {
  const header = ustarHeader('x', 2 ** 33 + 5);
  assert.equal(header[124], 0x80);
  assert.equal(header.readBigUInt64BE(128), BigInt(2 ** 33 + 5));
});
