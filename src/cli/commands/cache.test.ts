import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeRecord } from '../../cache/record.ts';
import { fakeLayer, fakeRecord } from '../../cache/testing.ts';
import { digestOf, hexOf } from '../../core/digest.ts';
import { EXIT_CODES } from '../../core/error.ts';
import { scratchDir } from '../../core/testing.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { createDirectoryStore } from '../../oci/dir-store.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { runCommand } from '../command.ts';
import { type CommandName, STORE_COMMANDS } from '../options/types.ts';
import { environmentRedactor } from '../run-context.ts';
import { cacheCommand } from './cache.ts';

const KEY = digestOf('key');

/** A cache with one record, and commands on it. */
async function setUp() {
  const root = join(scratchDir('cache-command'), 'cache');
  const store = createDirectoryStore({ root, repository: 'local/cache' });
  const bytes = Buffer.from('layer');
  const { toc: _, ...fake } = fakeLayer('a');
  const layer = { ...fake, digest: digestOf(bytes), size: bytes.length };
  const { manifest, config } = encodeRecord(fakeRecord(KEY, ['a'], { chain: [layer], layer }));
  for (const blob of [bytes, config]) await store.put(bytesSource(blob));
  await store.tag(manifest, MEDIA_TYPES.ociManifest, hexOf(KEY));
  const run = async (name: CommandName, ...args: readonly string[]) => {
    let [stdout, stderr] = ['', ''];
    const context = {
      env: { ENVBUILDER_LAYER_CACHE_DIR: root },
      cwd: join(root, '..'),
      signal: new AbortController().signal,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      redactor: environmentRedactor({}),
    };
    const code = await runCommand(name, ['--progress=plain', ...args], context, cacheCommand);
    return { code, stdout, stderr };
  };
  return { run, root };
}

test('each command on a cache answers as text and as JSON', async () => {
  const { run } = await setUp();
  const operands: Readonly<Record<string, readonly string[]>> = {
    'cache show': [hexOf(KEY).slice(0, 8)],
    'cache copy': ['./other'],
    'cache prune': ['--older-than=9999d', '--dry-run'],
  };
  const says: Readonly<Record<string, RegExp>> = {
    'cache ls': new RegExp(`${hexOf(KEY).slice(0, 12)} +record +2026-01-02 03:04 +5 B\n1 records`),
    'cache show': /key +sha256:.*signed by +nobody.*5 B +sha256:/s,
    'cache du': /5 B +1 +\(unknown\)/,
    'cache verify': /checked 1 entries: all is well/,
    'cache copy': /copied 1 entries to/,
    'cache prune': /would remove 0 tags/,
  };
  for (const name of STORE_COMMANDS) {
    const text = await run(name, ...(operands[name] ?? []));
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, says[name]!);
    const json = await run(name, '--output=json', ...(operands[name] ?? []));
    assert.equal(typeof JSON.parse(json.stdout), 'object', json.stderr);
  }
});

test('what cannot be answered about a cache is an error of its own kind', async () => {
  const { run } = await setUp();
  const codes: readonly [CommandName, readonly string[], keyof typeof EXIT_CODES][] = [
    ['cache ls', ['--output=yaml'], 'USAGE'],
    ['cache ls', ['more'], 'USAGE'],
    ['cache show', [], 'USAGE'],
    ['cache show', ['nothing'], 'REFERENCE'],
    ['cache copy', [], 'USAGE'],
    ['cache copy', ['./other', 'nothing'], 'REFERENCE'],
    ['cache prune', [], 'USAGE'],
    ['cache prune', ['--older-than=soon'], 'USAGE'],
  ];
  for (const [name, args, code] of codes) {
    const result = await run(name, ...args);
    assert.equal(result.code, EXIT_CODES[code].exit, `${name} ${args}: ${result.stderr}`);
  }
});
