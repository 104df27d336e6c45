import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { createCompressPool } from '../../layer/compress-pool.ts';
import { addTree, listTree } from '../../layer/fixed-tree.ts';
import { createLayerWriter } from '../../layer/layer-writer.ts';
import { readLayer } from '../../layer/read-layer.ts';
import { type PreparedRuntime, prepareRuntime, type RuntimeSpec, runtimeConfig } from './runtime.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-runtime-'));
const pool = createCompressPool();
after(async () => {
  await pool.close();
  rmSync(scratch, { recursive: true });
});
const session = { workDir: () => scratch, pool: () => pool };

async function runtimeIn(name: string): Promise<RuntimeSpec> {
  const dir = join(scratch, name);
  mkdirSync(join(dir, 'bin'), { recursive: true });
  writeFileSync(join(dir, 'bin/tool'), 'a tool', { mode: 0o755 });
  const files = listTree(dir);
  const writer = createLayerWriter({ compression: 'zstd', sink: () => {} });
  await addTree(writer.add, dir, '.envbuilder', files);
  const { mediaType, digest, size, diffId } = await writer.finish();
  const layer = { mediaType, digest, size, diffId };
  return { dir, layers: [{ name: 'tools', files, layer, description: Buffer.from('{}') }] };
}

async function filesOf(blob: Readable): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { entry, content } of readLayer(blob, '', 'a layer'))
    files[entry.path] = await text(content);
  return files;
}

const digests = ({ layers }: PreparedRuntime): string[] => layers.map(({ layer }) => layer.digest);

test('the layers depend on files, configuration and the start alone', async () => {
  const [a, b] = [await runtimeIn('a'), await runtimeIn('b')];
  const config = { User: 'me', Env: ['A=1'] };
  const one = await prepareRuntime({ ...a, start: { x: 1, y: 2 } }, config);
  const same = await prepareRuntime({ ...b, start: { y: 2, x: 1 } }, { Env: ['A=1'], User: 'me' });
  assert.deepEqual(digests(one), digests(same));
  const other = await prepareRuntime({ ...a, start: { x: 1 } }, config);
  assert.equal(digests(one)[0], digests(other)[0]);
  assert.notEqual(digests(one)[1], digests(other)[1]);
});

test('a layer of the runtime is made when it is asked for, and has the digest that was told', async () => {
  const { layers } = await prepareRuntime(await runtimeIn('made'), {});
  const source = layers[0]!.source(session);
  assert.deepEqual(await filesOf(source.open()), {
    '.envbuilder': '',
    '.envbuilder/bin': '',
    '.envbuilder/bin/tool': 'a tool',
  });
  const whole = await buffer(source.open());
  assert.equal(whole.length, source.size);
  assert.deepEqual(await buffer(source.open(10)), whole.subarray(10));
});

test('files that have changed are not pushed', async () => {
  const spec = await runtimeIn('changed');
  writeFileSync(join(spec.dir, 'bin/tool'), 'b tool');
  const { layers } = await prepareRuntime(spec, {});
  const reading = buffer(layers[0]!.source(session).open());
  await assert.rejects(reading, { code: 'PUSH_FAILED' });
});

test('the magic image file keeps the configuration that the image had', async () => {
  const config = {
    User: 'me',
    WorkingDir: '/home/me',
    Cmd: ['own'],
    Env: ['A=1', 'KANIKO_DIR=/old'],
    Labels: { l: '1' },
  };
  const { layers } = await prepareRuntime(
    { ...(await runtimeIn('magic')), start: { devcontainerFile: 'd' } },
    config,
  );
  const files = await filesOf(layers.at(-1)!.source(session).open());
  assert.deepEqual(JSON.parse(files['.envbuilder/image']!), {
    version: 1,
    config,
    start: { devcontainerFile: 'd' },
  });
  assert.equal(files['.envbuilder/app/layer-tools.json'], '{}');
  assert.deepEqual(runtimeConfig(config), {
    User: '0:0',
    WorkingDir: '/',
    Entrypoint: ['/.envbuilder/bin/envbuilder'],
    Env: ['A=1', 'KANIKO_DIR=/.envbuilder'],
    Labels: { l: '1' },
  });
});
