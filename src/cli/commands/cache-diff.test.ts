import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { EXIT_CODES } from '../../core/error.ts';
import { scratchDir } from '../../core/testing.ts';
import { type ImageDiff, serveRegistry } from '../../index.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { createDirectoryStore } from '../../oci/dir-store.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { createOciLayoutStore } from '../../oci/oci-layout.ts';
import type { Store } from '../../oci/types.ts';
import { fileOf, layerOf } from '../../rootfs/extract/testing.ts';
import { runCommand } from '../command.ts';
import { environmentRedactor } from '../run-context.ts';
import { cacheDiffCommand } from './cache-diff.ts';

/** Puts an image of one layer into a store. @returns its digest */
async function put(
  store: Store,
  dir: string,
  {
    name = 'app',
    text = 'one',
    tag,
    architecture = 'amd64',
  }: { name?: string; text?: string; tag?: string; architecture?: string },
) {
  const layer = await layerOf(dir, [fileOf(name, text)]);
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture,
      config: { Env: [`TEXT=${text}`], Labels: { 'evil\u001b[31m': '\u202e\n' } },
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created_by: `RUN make ${text}` }],
    }),
  );
  for (const bytes of [config, await layer.readRange(0, layer.size)]) await store.put(bytesSource(bytes));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.size }],
  };
  return store.tag(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPES.ociManifest, tag);
}

async function setUp() {
  const cwd = scratchDir('cache-diff');
  const cache = createDirectoryStore({ root: join(cwd, 'cache'), repository: 'local/cache' });
  const layout = createOciLayoutStore(join(cwd, 'layout'));
  mkdirSync(join(cwd, 'empty'));
  const run = async (...args: readonly string[]) => {
    let [stdout, stderr] = ['', ''];
    const context = {
      env: {},
      cwd,
      signal: new AbortController().signal,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      redactor: environmentRedactor({}),
    };
    const code = await runCommand('cache diff', ['--progress=plain', ...args], context, cacheDiffCommand);
    return { code, stdout, stderr };
  };
  return { cwd, cache, layout, run };
}

test('what changed between two images is told as text and as JSON, wherever they are', async () => {
  const { cwd, cache, layout, run } = await setUp();
  await put(cache, cwd, { tag: 'latest' });
  const { digest } = await put(layout, cwd, { tag: 'new', text: 'three\u001b[31m', name: 'app\u001b]0;x' });
  for (const name of ['oci-layout://layout:new', './layout:new', `${cwd}/layout@${digest}`]) {
    const { code, stdout, stderr } = await run('./cache', name);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^first +.*cache:latest +linux\/amd64 +1 layers/);
    assert.match(stdout, /\nlayers: 0 shared \(0 B\), 1 only in the first, 1 only in the second\n/);
    assert.match(stdout, /only in the second +\S+ \w+ +sha256:\w{12} +RUN make three\?\[31m\n/);
    assert.match(stdout, /\n {2}env TEXT +one -> three\?\[31m\n/);
    assert.match(stdout, /\nfiles: 1 added \(10 B\), 1 removed \(3 B\), 0 changed \(0 B\)\n/);
    assert.match(stdout, /\n {2}added +10 B +\/app\?\]0;x\n {2}removed +3 B +\/app\n$/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
  }
  const { stdout } = await run('--output=json', './cache', './layout:new');
  const diff = JSON.parse(stdout) as ImageDiff;
  assert.deepEqual(diff.files.map(({ change }) => change).sort(), ['added', 'removed']);
  assert.equal(diff.second.digest, digest);
  const same = await run('./cache:latest', './cache');
  assert.match(
    same.stdout,
    /layers: 1 shared .*0 only in the first, 0 only.*\n\nconfig: the same\n\nfiles: the same\n$/s,
  );
});

test('an image of a registry is compared with one of a directory', async () => {
  const { cwd, cache, layout, run } = await setUp();
  await put(cache, cwd, { tag: 'latest' });
  await put(layout, cwd, { tag: 'new', text: 'three' });
  const registry = await serveRegistry({ dir: join(cwd, 'cache') });
  try {
    const { hostname, port } = new URL(registry.url);
    const { code, stdout, stderr } = await run(`${hostname}:${port}/local/cache`, './layout:new');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\nfiles: 0 added \(0 B\), 0 removed \(0 B\), 1 changed \(5 B\)\n/);
    assert.match(stdout, /\n {2}changed +3 B -> 5 B +\/app \(content\)\n$/);
  } finally {
    await registry.close();
  }
});

test('of an index the image for a platform is compared', async () => {
  const { cwd, layout, run } = await setUp();
  const images = [];
  for (const architecture of ['amd64', 'arm64']) {
    const { digest, size, mediaType } = await put(layout, cwd, { architecture, text: architecture });
    images.push({ digest, size, mediaType, platform: { os: 'linux', architecture } });
  }
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: images };
  await layout.tag(Buffer.from(JSON.stringify(index)), MEDIA_TYPES.ociIndex, 'both');
  const { stdout } = await run(
    '--platform=linux/arm64',
    '--output=json',
    './layout:both',
    `./layout@${images[0]!.digest}`,
  );
  const diff = JSON.parse(stdout) as ImageDiff;
  assert.deepEqual([diff.first.platform, diff.second.platform], ['linux/arm64', 'linux/amd64']);
});

test('what cannot be compared is an error of its own kind', async () => {
  const { cwd, cache, run } = await setUp();
  await put(cache, cwd, { tag: 'latest' });
  const codes: readonly [readonly string[], keyof typeof EXIT_CODES][] = [
    [['./cache'], 'USAGE'],
    [['./cache', './cache', './cache'], 'USAGE'],
    [['--output=yaml', './cache', './cache'], 'USAGE'],
    [['--platform=linux/amd64,linux/arm64', './cache', './cache'], 'USAGE'],
    [['docker://x', './cache'], 'USAGE'],
    [['./cache', 'NO GOOD'], 'REFERENCE'],
    [['./cache', './cache:other'], 'REFERENCE'],
    [['./cache', './empty'], 'CONTEXT'],
    [['./cache', './nowhere'], 'CONTEXT'],
  ];
  for (const [args, code] of codes) {
    const result = await run(...args);
    assert.equal(result.code, EXIT_CODES[code].exit, `${args}: ${result.stderr}`);
  }
});

test('of many files those that weigh most are listed', async () => {
  const { diffText } = await import('./cache-diff.ts');
  const image = { reference: 'x', digest: digestOf('x'), platform: 'linux/amd64', layers: 1, bytes: 1 };
  const file = (size: number) =>
    ({ path: `f${size}`, change: 'added', type: 'file', before: null, after: size, aspects: [] }) as const;
  const files = Array.from({ length: 70 }, (_, i) => file(i));
  const layers = { shared: [], onlyFirst: [], onlySecond: [] };
  const text = diffText({ first: image, second: image, layers, config: [], files });
  assert.match(text, /\/f69\n/);
  assert.match(text, /and 20 smaller ones, which --output json lists$/);
  assert.doesNotMatch(text, /\/f19\n/);
});
