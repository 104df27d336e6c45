import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { AppError } from '../../core/error.ts';
import { scratchDir } from '../../core/testing.ts';
import { tarballFeature } from './tarball.ts';
import { archiveOf } from './testing.ts';

const METADATA = { 'devcontainer-feature.json': JSON.stringify({ id: 'f', version: '1.0.0', name: 'f' }) };
const large = archiveOf({ ...METADATA, large: randomBytes(100_000).toString('latin1') });
const cut = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length / 2);
const range = { file: 'devcontainer.json', start: { line: 3, column: 5 }, end: { line: 3, column: 9 } };
const dir = scratchDir('tarball');

const DAMAGED: Readonly<Record<string, Buffer>> = {
  'no archive': Buffer.alloc(2048, 'x'),
  'cut off': cut(large),
  'cut off, and compressed': cut(gzipSync(large)),
  'a file outside': archiveOf({ ...METADATA, '../f': 'x' }),
  'a link outside': archiveOf({ ...METADATA, f: { type: 'symlink', linkname: '/etc/passwd' } }),
  'a device': archiveOf({ ...METADATA, f: { type: 'char' } }),
};

for (const [name, bytes] of Object.entries(DAMAGED)) {
  test(`a damaged archive says where it is asked for and what to do: ${name}`, async () => {
    const id = {
      type: 'tarball',
      url: 'https://host/devcontainer-feature-f.tgz',
      name: 'f',
      written: 'f',
    } as unknown as Parameters<typeof tarballFeature>[0];
    const use = async (): Promise<void> => {
      const feature = await tarballFeature(id, undefined, { download: async () => bytes, where: { range } });
      await feature.write(mkdtempSync(join(dir, 'f')), undefined as never);
    };
    await assert.rejects(use(), (error) => {
      assert.ok(error instanceof AppError, String(error));
      assert.equal(error.code, 'CORRUPT');
      assert.match(error.hint ?? '', /author/, error.message);
      assert.deepEqual(error.where?.range, range);
      return true;
    });
  });
}
