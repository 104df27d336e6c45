import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';
import { AppError } from '../core/error.ts';
import { until } from '../core/testing.ts';
import { EMPTY_FILE } from '../tar/empty-file.ts';
import { encodeHeader } from '../tar/header.ts';
import { readLayer } from './read-layer.ts';

const LARGE = 8 << 20;
const file = encodeHeader({ ...EMPTY_FILE, path: 'f', size: LARGE });
/** Plain bytes that nobody reads to the end, more than any pipe holds. */
const PLAIN: Readonly<Record<string, Buffer>> = {
  'that is no tar': Buffer.alloc(LARGE, 'x'),
  'whose first file nobody wants': Buffer.concat([file, Buffer.alloc(LARGE, 'x')]),
};
const ENCODERS: Readonly<Record<string, (plain: Buffer) => Buffer>> = {
  none: (plain) => plain,
  gzip: (plain) => gzipSync(plain),
  zstd: (plain) => zstdCompressSync(plain),
  bzip2: (plain) => byProgram('bzip2', plain),
  xz: (plain) => byProgram('xz', plain),
};

function byProgram(program: string, input: Buffer): Buffer {
  const { stdout, error } = spawnSync(program, ['-c'], { input, maxBuffer: LARGE });
  if (error) throw error;
  return stdout;
}

const hasProgram = (name: string): boolean => !spawnSync(name, ['--version']).error;
const children = (): string => readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim();

describe('a layer that is given up leaves nothing that anybody would wait for', () => {
  for (const [encoding, encode] of Object.entries(ENCODERS)) {
    for (const [what, plain] of Object.entries(PLAIN)) {
      test(`${encoding} ${what}`, async (t) => {
        if ((encoding === 'bzip2' || encoding === 'xz') && !hasProgram(encoding))
          return t.skip(`${encoding} is not installed`);
        const bytes = encode(plain);
        const stream = Readable.from([bytes], { objectMode: false });
        const read = async (): Promise<void> => {
          for await (const { entry } of readLayer(stream, '', 'a layer')) {
            assert.equal(entry.path, 'f');
            throw new AppError('CORRUPT', 'not wanted');
          }
        };
        await assert.rejects(read(), { code: 'CORRUPT' });
        assert.equal(stream.destroyed, true);
        await until('its programs have ended', () => children() === '');
      });
    }
  }
});

test('a gzip header counts only with the sum that it may have', async () => {
  const tar = Buffer.concat([encodeHeader({ ...EMPTY_FILE, path: 'f' }), Buffer.alloc(1024)]);
  const name = Buffer.from('name\0');
  const head = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 2 | 8, 0, 0, 0, 0, 0, 3]), name]);
  const paths = async (sum: number): Promise<string[]> => {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(sum);
    const stream = Readable.from([Buffer.concat([head, bytes, gzipSync(tar).subarray(10)])], {
      objectMode: false,
    });
    const found: string[] = [];
    for await (const { entry } of readLayer(stream, '', 'a layer')) found.push(entry.path);
    return found;
  };
  const right = crc32(head) & 0xffff;
  assert.deepEqual(await paths(right), ['f']);
  await assert.rejects(paths(right ^ 1), { code: 'CORRUPT' });
});
