import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { decodePath } from '../core/path-bytes.ts';
import { createHeaderCheck, encodeHeader, headerLength } from '../tar/header.ts';
import type { LayerEntry } from '../tar/types.ts';
import { compressFrame, createCompressPool } from './compress-pool.ts';
import { createFileLayerWriter } from './file-layer-writer.ts';
import { decodeFrame, FRAME_BYTES, outputBound, readContents } from './frames.ts';
import { createLayerWriter } from './layer-writer.ts';
import { diffIdOf, readLayer } from './read-layer.ts';
import { readToc } from './toc.ts';
import type { Compression, LayerBlob, LayerResult } from './types.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-layer-'));
const pools = [1, 2].map((threads) => createCompressPool({ threads }));
after(async () => {
  for (const pool of pools) await pool.close();
  rmSync(scratch, { recursive: true, force: true });
});

type File = readonly [LayerEntry, Buffer];

const BASE: LayerEntry = {
  path: 'f',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 1_700_000_000,
  mtimeNsec: 0,
  linkname: '',
  devmajor: 0,
  devminor: 0,
};

function file(path: string, content: Buffer | string, change: Partial<LayerEntry> = {}): File {
  const bytes = Buffer.from(content);
  return [{ ...BASE, path, size: bytes.length, ...change }, bytes];
}

async function write(
  files: readonly File[],
  compression: Compression,
  pool?: (typeof pools)[number],
  chunk = 1 << 20,
) {
  const parts: Buffer[] = [];
  const sink = (part: Buffer): void => {
    parts.push(Buffer.from(part));
  };
  const writer = createLayerWriter({ compression, sink, ...(pool ? { pool } : {}) });
  for (const [entry, content] of files) await writer.add(entry, cut(content, chunk));
  const result = await writer.finish();
  return { result, blob: Buffer.concat(parts) };
}

function* cut(content: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

async function read(blob: Buffer): Promise<File[]> {
  const out: File[] = [];
  for await (const { entry, content } of readLayer(
    Readable.from([...cut(blob, 70_001)], { objectMode: false }),
    '',
    'layer',
  )) {
    const parts: Buffer[] = [];
    for await (const part of content) parts.push(Buffer.from(part));
    out.push([entry, Buffer.concat(parts)]);
  }
  return out;
}

/** What is read of a stream of chunks of some size: paths and lengths. */
async function paths(bytes: Buffer, size: number): Promise<string[]> {
  const out: string[] = [];
  const stream = Readable.from([...cut(bytes, size)], { objectMode: false });
  for await (const { entry, content } of readLayer(stream, '', 'layer')) {
    let length = 0;
    for await (const part of content) length += part.length;
    out.push(`${entry.path} ${length}`);
  }
  return out;
}

const name = fc
  .array(
    fc
      .uint8Array({ minLength: 1, maxLength: 60 })
      .map((bytes) => Buffer.from(bytes.map((b) => (b === 0 || b === 0x2f ? 0x61 : b)))),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => decodePath(Buffer.from(parts.map((part) => part.toString('latin1')).join('/'), 'latin1')))
  .filter((path) => path.split('/').every((part) => part !== '.' && part !== '..'));

const entry: fc.Arbitrary<File> = fc
  .record({
    path: name,
    type: fc.constantFrom('file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'),
    mode: fc.nat(0o7777),
    uid: fc.oneof(fc.nat(70_000), fc.constant(0o7777777), fc.constant(2 ** 31)),
    gid: fc.nat(4_000_000_000),
    mtime: fc.oneof(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.constant(0)),
    mtimeNsec: fc.constantFrom(0, 1, 999_999_999),
    link: name,
    device: fc.tuple(fc.nat(0o7777777), fc.nat(0o7777777)),
    content: fc.uint8Array({ maxLength: 2000 }),
    xattrs: fc.dictionary(
      fc.constantFrom('user.a', 'security.capability', 'user.ö'),
      fc.uint8Array({ maxLength: 30 }),
    ),
  })
  .map(({ type, link, device, content, xattrs, ...rest }) => {
    const bytes = Buffer.from(type === 'file' ? content : []);
    const isDevice = type === 'char' || type === 'block';
    const pairs = Object.entries(xattrs).map(([key, value]) => [key, Buffer.from(value)] as const);
    return [
      {
        ...rest,
        type: type as LayerEntry['type'],
        size: bytes.length,
        linkname: type === 'symlink' || type === 'hardlink' ? link : '',
        devmajor: isDevice ? device[0] : 0,
        devminor: isDevice ? device[1] : 0,
        ...(pairs.length > 0 ? { xattrs: new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1))) } : {}),
      },
      bytes,
    ];
  });

test('any entries survive tar, compressed or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 6 }),
      fc.constantFrom<Compression>('zstd', 'gzip', 'none'),
      async (files, compression) => {
        const { result, blob } = await write(files, compression);
        assert.equal(result.digest, digestOf(blob));
        assert.equal(result.size, blob.length);
        assert.equal(result.entryCount, files.length);
        assert.deepEqual(await read(blob), files);
        assert.equal(await diffIdOf(Readable.from([blob]), 'layer'), result.diffId);
      },
    ),
    { numRuns: 300 },
  );
});

test('the table of contents says what the tar says, and where', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (files) => {
      const { result, blob } = await write(files, 'zstd');
      const layer = blobOf(blob, result);
      const toc = await readToc({ ...layer, toc: result.toc! });
      assert.equal(toc.entries.count, files.length);
      for (const [i, [expected, content]] of files.entries()) {
        const { contentOffset, ...facts } = toc.entries.get(i);
        assert.deepEqual(facts, expected);
        const parts: Buffer[] = [];
        for await (const { part } of readContents(layer, toc, [toc.entries.get(i)])) parts.push(part);
        assert.deepEqual(Buffer.concat(parts), content);
        assert.ok(contentOffset >= 0);
      }
    }),
    { numRuns: 100 },
  );
});

/** 40 MB in files of very different sizes, among them one that spans frames. */
const LARGE: File[] = [300, 5_000_000, 4_194_304, 100, 12_345_678, 4_000_000, 4_000_000, 7_000_000].map(
  (size, i) => file(`big/${i}`, pseudoRandom(size, i)),
);

function pseudoRandom(size: number, seed: number): Buffer {
  const block = createHash('sha512').update(String(seed)).digest();
  const out = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4096) block.copy(out, at);
  return out;
}

test('the bytes of a layer depend neither on threads nor on how content is cut', async () => {
  const digests = new Set<string>();
  for (const pool of [undefined, ...pools]) {
    for (const chunk of [65_536, 1 << 20])
      digests.add((await write(LARGE, 'zstd', pool, chunk)).result.digest);
  }
  assert.equal(digests.size, 1);
});

test('a frame of any length fits the room for its output, and a worker gives the bytes that this thread gives', async () => {
  const noise = randomBytes(FRAME_BYTES);
  const zeros = Buffer.alloc(FRAME_BYTES);
  const lengths = [1, 2, 511, 1024, 8191, 30_000, 65_536, 131_071, 131_072, 1_000_001, FRAME_BYTES];
  const pool = createCompressPool({ threads: 1 });
  after(() => pool.close());
  for (const compression of ['zstd', 'gzip'] as const) {
    for (const content of [noise, zeros, Buffer.from(noise.toString('hex'))]) {
      for (const length of lengths) {
        const frame = content.subarray(0, length);
        const { bytes, digest } = compressFrame(frame, compression);
        const what = `${compression}, ${length} bytes`;
        assert.ok(bytes.length <= outputBound(length), what);
        const plain = compression === 'zstd' ? zstdDecompressSync(bytes) : gunzipSync(bytes);
        assert.ok(plain.equals(frame), what);
        const slot = await pool.take();
        slot.input.set(frame);
        const sent = await slot.compress(length, compression);
        assert.ok(sent.bytes.equals(bytes) && sent.digest === digest, what);
        slot.release();
      }
    }
  }
});

test('frames are cut before an entry that does not fit, and each can be read alone', async () => {
  const { result, blob } = await write(LARGE, 'zstd', pools[1]);
  const toc = await readToc({ ...blobOf(blob, result), toc: result.toc! });
  const starts = new Set(toc.frames.map((frame) => frame.tarOffset));
  for (let i = 0; i < toc.entries.count; i += 1) {
    const found = toc.entries.get(i);
    if (found.size > 1_000_000) assert.ok(starts.has(found.contentOffset - 512), found.path);
  }
  for (const frame of toc.frames) {
    assert.ok(frame.tarLength <= 4 * 1024 * 1024);
    decodeFrame(blob.subarray(frame.offset, frame.offset + frame.length), frame);
  }
  assert.equal(toc.frames.at(-1)!.tarOffset + toc.frames.at(-1)!.tarLength, result.tarSize);
});

test('a small layer has the bytes it always had: other tar bytes miss caches, other blobs are stored again', async () => {
  const files: File[] = [
    file('etc/', '', { path: 'etc', type: 'dir', mode: 0o755 }),
    file('etc/a', 'hello\n', { uid: 1000, gid: 1000, xattrs: new Map([['user.x', Buffer.from('1')]]) }),
    file('etc/b', '', { type: 'symlink', linkname: 'a', mode: 0o777 }),
  ];
  const { result } = await write(files, 'zstd');
  assert.equal(result.diffId, 'sha256:23cdaeb470250b8afc5453df1466c55f9e32d6a6b5803efd9d20015779195ff4');
  assert.equal(result.digest, 'sha256:97bbe13e7120e3820001a072df1a3f9f21577addb04d02be0776aeefa81a252f');
});

test('zstd and GNU tar read our layers', async () => {
  const long = `${'d'.repeat(90)}/${'n'.repeat(90)}`;
  const { blob } = await write(
    [file(long, 'long'), file('übung', 'ü'), file('x', 'x'.repeat(100_000))],
    'zstd',
  );
  const path = join(scratch, 'ours.tar.zst');
  writeFileSync(path, blob);
  const listing = execFileSync('sh', [
    '-c',
    `zstd -dc ${path} | tar tf - --quoting-style=literal`,
  ]).toString();
  assert.deepEqual(listing.trim().split('\n'), [long, 'übung', 'x']);
});

test('we read what GNU tar writes: PAX, GNU and old formats, sparse files, long names, hard links', async () => {
  const dir = mkdtempSync(join(scratch, 'src-'));
  const long = 'l'.repeat(200);
  execFileSync('sh', [
    '-c',
    `cd ${dir} && echo hi > ${long} && ln ${long} z-hard && ln -s "${'t'.repeat(150)}" sym && mkfifo pipe &&
     truncate -s 3000000 sparse && printf end | dd of=sparse bs=1 seek=2000000 conv=notrunc 2>/dev/null`,
  ]);
  for (const format of ['gnu', 'posix', 'oldgnu']) {
    for (const sparse of ['0.0', '0.1', '1.0']) {
      const tar = execFileSync(
        'sh',
        ['-c', `cd ${dir} && tar --sort=name --format=${format} --sparse --sparse-version=${sparse} -cf - .`],
        {
          maxBuffer: 1 << 26,
        },
      );
      const found = new Map(
        (await read(format === 'gnu' ? gzipSync(tar) : tar)).map(([e, c]) => [e.path, [e, c] as const]),
      );
      assert.deepEqual(found.get('sparse')![1], readFileSync(join(dir, 'sparse')), `${format} ${sparse}`);
      assert.equal(found.get('sparse')![0].size, 3_000_000);
      assert.equal(found.get(long)![1].toString(), 'hi\n');
      assert.equal(found.get('z-hard')![0].linkname, long);
      assert.equal(found.get('sym')![0].linkname, 't'.repeat(150));
      assert.equal(found.get('pipe')![0].type, 'fifo');
    }
  }
});

test('damage anywhere is CORRUPT, never other content', async () => {
  const { result, blob } = await write(LARGE.slice(0, 2), 'zstd');
  const toc = await readToc({ ...blobOf(blob, result), toc: result.toc! });
  const flip = (at: number): Buffer => {
    const bytes = Buffer.from(blob);
    bytes[at]! ^= 1;
    return bytes;
  };
  const { offset } = result.toc!;
  for (let at = offset - 8; at < blob.length; at += 1)
    await assert.rejects(readToc({ ...blobOf(flip(at), result), toc: result.toc! }), { code: 'CORRUPT' });
  for (const frame of toc.frames) {
    const bytes = flip(frame.offset + 9).subarray(frame.offset, frame.offset + frame.length);
    assert.throws(() => decodeFrame(bytes, frame), { code: 'CORRUPT' });
  }
  const { offset: last, length: lastLength } = toc.frames.at(-1)!;
  for (const end of [10, last - 1, last + lastLength - 1])
    await assert.rejects(read(blob.subarray(0, end)), { code: 'CORRUPT' });
});

test('gzip and zstd are read as Docker reads them: members, and whatever follows the archive', async () => {
  const { blob: tar } = await write([file('a', 'x'), file('b', randomBytes(300_000))], 'none');
  const members = [0, 511, 100_000, tar.length - 1, tar.length].map((at) =>
    Buffer.concat([tar.subarray(0, at), tar.subarray(at)].map((part) => gzipSync(part))),
  );
  const zeros = Buffer.alloc(20_000_000);
  const tails = [zeros, Buffer.from('garbage'), Buffer.of(0x1f), gzipSync('more').subarray(0, 12)];
  tails.push(
    Buffer.concat([gzipSync('damaged').subarray(0, -8), Buffer.alloc(8)]),
    gzipSync(Buffer.alloc(100_000)),
  );
  for (const [index, whole] of [...members, zstdCompressSync(tar)].entries()) {
    for (const tail of [Buffer.alloc(0), ...tails]) {
      for (const size of [7001, whole.length, whole.length + 3, 1 << 26]) {
        const what = `${index}, ${tail.length}, ${size}`;
        assert.deepEqual(await paths(Buffer.concat([whole, tail]), size), ['a 1', 'b 300000'], what);
      }
    }
  }
  const damaged = Buffer.from(gzipSync(tar));
  damaged[damaged.length - 5]! ^= 1;
  for (const bad of [members[2]!.subarray(0, -1000), damaged.subarray(0, 2), damaged.subarray(0, 200)])
    await assert.rejects(paths(bad, 7001), { code: 'CORRUPT' });
  // The archive is whole before its check is wrong.
  assert.deepEqual(await paths(damaged, 7001), ['a 1', 'b 300000']);
  await assert.rejects(diffIdOf(Readable.from([damaged]), 'layer'), { code: 'CORRUPT' });
});

test('an error of the stream comes before what is wrong with its bytes', async () => {
  const { blob } = await write([file('a', randomBytes(100_000))], 'gzip');
  async function* failing(whole: Buffer): AsyncGenerator<Buffer> {
    yield whole.subarray(0, 5000);
    yield whole.subarray(5000);
    throw new AppError('REGISTRY', 'it does not match its digest');
  }
  const cut = Buffer.concat([blob.subarray(0, 9000), Buffer.alloc(9000, 'x')]);
  for (const bytes of [blob, cut, Buffer.concat([blob, Buffer.alloc(100_000)])]) {
    const reading = Readable.from(failing(bytes), { objectMode: false });
    await assert.rejects(
      async () => {
        for await (const { content } of readLayer(reading, '', 'layer')) for await (const _ of content);
      },
      { code: 'REGISTRY' },
    );
  }
});

test('an archive without its last padding and its end is read, as Docker does', async () => {
  const { blob } = await write([file('a', 'x')], 'none');
  assert.deepEqual(
    (await read(blob.subarray(0, 513))).map(([e, c]) => [e.path, c.toString()]),
    [['a', 'x']],
  );
});

test('hostile names and headers are refused', async () => {
  for (const path of ['../x', 'a/../../x']) {
    const { blob } = await write([file(path, 'x')], 'none');
    await assert.rejects(read(blob), { code: 'CORRUPT', message: /leaves the root/ });
  }
  const { blob } = await write([file('a', 'x')], 'none');
  blob[0]! ^= 1;
  await assert.rejects(read(blob), { code: 'CORRUPT', message: /checksum/ });
  await assert.rejects(read(Buffer.alloc(4096, 'x')), { code: 'CORRUPT' });
});

test('a file that shrinks or grows while it is read fails the layer and leaves no file', async () => {
  for (const content of ['12', '1234']) {
    const path = join(scratch, 'layer');
    const writer = createFileLayerWriter(path, { compression: 'zstd' });
    await assert.rejects(writer.add({ ...BASE, size: 3 }, [Buffer.from(content)]), {
      code: 'CONTEXT',
      message: /changed/,
    });
    assert.ok(!existsSync(path));
  }
});

function blobOf(bytes: Buffer, result: LayerResult): LayerBlob {
  return {
    ...result,
    from: 'memory',
    open: async () => Readable.from([bytes]),
    readRange: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

test('a header is as long as it is, and told from any other', async () => {
  const check = createHeaderCheck();
  fc.assert(
    fc.property(entry, fc.nat(10_000), fc.integer({ min: 1, max: 255 }), ([found], place, by) => {
      const header = encodeHeader(found);
      const bytes = Buffer.concat([Buffer.alloc(512), header, Buffer.alloc(512)]);
      assert.equal(headerLength(found), header.length);
      assert.equal(check(found, bytes, 512), header.length);
      bytes[512 + (place % header.length)]! ^= by;
      assert.equal(check(found, bytes, 512), 0);
      assert.equal(check(found, header.subarray(1), 0), 0);
    }),
    { numRuns: 500 },
  );
});
