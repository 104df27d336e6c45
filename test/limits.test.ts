import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, test } from 'node:test';
import { createGzip } from 'node:zlib';
import { type LookupOptions, lookupRecords } from '../src/cache/lookup.ts';
import { digestOf } from '../src/core/digest.ts';
import { LIMITS } from '../src/core/limits.ts';
import { createLayerWriter } from '../src/layer/layer-writer.ts';
import { readLayer } from '../src/layer/read-layer.ts';
import { createTocWriter, readToc } from '../src/layer/toc.ts';
import { createTableReader } from '../src/layer/toc-json.ts';
import { createLayoutCheck } from '../src/layer/toc-layout.ts';
import { toFrameRow, toRow } from '../src/layer/toc-rows.ts';
import type { TocTable } from '../src/layer/types.ts';
import { readBlobFile } from '../src/oci/blob-file.ts';
import { resolveImage } from '../src/oci/image.ts';
import { parseManifestDocument } from '../src/oci/manifest.ts';
import { parsePlatform } from '../src/oci/platform.ts';
import { parseReference } from '../src/oci/reference.ts';
import { openFakeStore } from '../src/oci/testing/fake-store.ts';
import type { Store } from '../src/oci/types.ts';
import { startTestServer } from '../src/registry/testing.ts';
import { createUnion } from '../src/rootfs/extract/union.ts';
import { checkEntry } from '../src/tar/check-entry.ts';
import { EMPTY_FILE } from '../src/tar/empty-file.ts';
import { encodeHeader, seal } from '../src/tar/header.ts';
import type { LayerEntry } from '../src/tar/types.ts';

/*
 * Each limit of src/core/limits.ts, reached and exceeded; and the inputs that once took minutes or gigabytes, each in a
 * process of its own whose time and memory are measured.
 */

const scratch = mkdtempSync(join(tmpdir(), 'limits-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const CORRUPT = { name: 'AppError', code: 'CORRUPT' } as const;
const FILE: LayerEntry = { ...EMPTY_FILE, path: 'f' };

const block = (name: string, flag: string, size: number): Buffer => {
  const header = encodeHeader({ ...FILE, path: name, size });
  header.write(flag, 156, 'latin1');
  return seal(header);
};
const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
const extension = (flag: string, bytes: Buffer): Buffer =>
  Buffer.concat([block('extension', flag, bytes.length), padded(bytes)]);
const END = Buffer.alloc(1024);

/** A PAX record whose length, which counts itself, is right. */
function record(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.from(length + rest, 'latin1');
}

async function entriesOf(...parts: Buffer[]): Promise<LayerEntry[]> {
  const found: LayerEntry[] = [];
  const stream = Readable.from([Buffer.concat([...parts, END])], { objectMode: false });
  for await (const { entry } of readLayer(stream, '', 'a layer')) found.push(entry);
  return found;
}

/** The header of an old GNU sparse file, and its further blocks. */
function sparseBlocks(blocks: number): Buffer {
  const header = block('sparse', 'S', 0);
  header.write('ustar  \0', 257, 'latin1');
  header[482] = blocks > 0 ? 1 : 0;
  const more = Buffer.alloc(512 * blocks);
  for (let i = 0; i + 1 < blocks; i += 1) more[i * 512 + 504] = 1;
  return Buffer.concat([seal(header), more]);
}

/** A map of format 0.1 with a header around it that has so many bytes. */
const paxOf = (bytes: number): Buffer => {
  const fixed = record('comment', '').length + String(bytes).length - 2;
  return record('comment', 'x'.repeat(bytes - fixed));
};

const union = (entries: Iterable<LayerEntry>): void => {
  const made = createUnion();
  made.beginLayer();
  for (const entry of entries) made.apply(entry);
  made.endLayer();
};

const entry = (over: Partial<LayerEntry>) => () => {
  const wrong = checkEntry({ ...FILE, ...over });
  if (wrong !== undefined) throw Object.assign(new Error(wrong), CORRUPT);
};
const pathOf = (bytes: number): string => 'd/'.repeat(bytes / 2) + (bytes % 2 === 1 ? 'd' : '');
const digest = `sha256:${'1'.repeat(64)}` as const;
const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 1 };

const TOC_FRAME = { offset: 0, length: 0, tarOffset: 0, tarLength: 0, digest };

/** Reads a table of so many frames and entries, or with a row of so many bytes. */
const table = ({ frames = 0, entries = 0, row = 0 }): TocTable => {
  const reader = createTableReader();
  const list = (count: number, of: unknown): void => {
    const text = JSON.stringify(of);
    for (let at = 0; at < count; at += 1000)
      reader.push(
        Buffer.from(
          `${at === 0 ? '' : ','}${Array.from({ length: Math.min(1000, count - at) }, () => text).join()}`,
        ),
      );
  };
  reader.push(Buffer.from('{"frames":['));
  list(frames, toFrameRow(TOC_FRAME));
  reader.push(Buffer.from('],"entries":['));
  list(entries, toRow(FILE, 0));
  if (row > 0)
    reader.push(
      Buffer.from(
        JSON.stringify(toRow(FILE, 0))
          .padEnd(row)
          .replace(/\]( *)$/, '$1]'),
      ),
    );
  reader.push(Buffer.from(']}'));
  return reader.end();
};

/** By limit: something with exactly as much as that number says. */
const REACH: Record<keyof typeof LIMITS, ((amount: number) => unknown) | 'elsewhere'> = {
  path: (bytes) => entry({ path: pathOf(bytes) })(),
  name: (bytes) => entry({ path: `d/${'n'.repeat(bytes)}` })(),
  link: (bytes) => entry({ type: 'symlink', linkname: 'l'.repeat(bytes) })(),
  extension: (bytes) => entriesOf(extension('x', paxOf(bytes)), block('f', '0', 0)),
  extensions: (bytes) => {
    const each = Array.from({ length: 4 }, () => extension('x', paxOf((1 << 20) - 512)));
    return entriesOf(
      ...each,
      ...(bytes > 4 << 20 ? [extension('L', Buffer.from('name\0'))] : []),
      block('f', '0', 0),
    );
  },
  file: (size) => entry({ size })(),
  id: (uid) => [entry({ uid })(), entry({ gid: uid })()],
  xattrName: (bytes) => entry({ xattrs: new Map([[`user.${'n'.repeat(bytes - 5)}`, Buffer.of(1)]]) })(),
  blobHoles: (bytes) => {
    const path = join(scratch, 'hollow');
    writeFileSync(path, '');
    truncateSync(path, bytes);
    readBlobFile(path, digest, { offset: 0, length: 1 }).destroy();
  },
  xattrValue: (bytes) => entry({ xattrs: new Map([['user.a', Buffer.alloc(bytes)]]) })(),
  xattrs: (bytes) => {
    const value = Buffer.alloc(65_536 - 6);
    const files = Array.from({ length: 1024 }, (_, i) => ({
      ...FILE,
      path: `${i}`,
      xattrs: new Map([['user.a', value]]),
    }));
    const more = { ...FILE, path: 'more', xattrs: new Map([['user.a', Buffer.alloc(0)]]) };
    union([...files, ...(bytes > 64 << 20 ? [more] : [])]);
  },
  longNames: (bytes) => {
    const link = 'l'.repeat(255 + 2048);
    const links = Array.from(
      { length: bytes / 2048 },
      (_, i): LayerEntry => ({ ...FILE, type: 'symlink', path: `${i}`, linkname: link }),
    );
    union([...links, { ...FILE, type: 'symlink', path: 'more', linkname: 'l'.repeat(255 + (bytes % 2048)) }]);
  },
  impliedDirectories: (count) =>
    union(Array.from({ length: count }, (_, i) => ({ ...FILE, path: `${i}/f` }))),
  depth: (count) => entry({ path: `${'d/'.repeat(count)}f` })(),
  tocBytes: 'elsewhere',
  tocRows: (count) => table({ entries: count }),
  tocRow: (bytes) => table({ row: bytes }),
  tocFrames: (count) => table({ frames: count }),
  frame: 'elsewhere',
  layers: (count) => {
    const manifest = {
      schemaVersion: 2,
      config: { ...descriptor, mediaType: 'application/vnd.oci.image.config.v1+json' },
    };
    const layers = Array.from({ length: count }, () => descriptor);
    parseManifestDocument(Buffer.from(JSON.stringify({ ...manifest, layers })), 'a manifest');
  },
  // What is read of a registry or a client is limited where it is read: see the tests of these modules.
  manifest: 'elsewhere',
  pushedManifest: 'elsewhere',
  indexes: 'elsewhere',
  config: 'elsewhere',
  recordConfig: 'elsewhere',
  token: 'elsewhere',
};

for (const [name, reach] of Object.entries(REACH)) {
  if (reach === 'elsewhere') continue;
  const { most, text } = LIMITS[name as keyof typeof LIMITS];
  test(`${text}: ${most} and no more`, async () => {
    await reach(most);
    await assert.rejects(async () => reach(most + 1), CORRUPT);
  });
}

/** A store with one thing in it, whatever is asked for. */
function storeOf(bytes: Buffer, mediaType = 'application/vnd.oci.image.index.v1+json'): Store {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  return {
    name: 'a store',
    get: async () => Readable.from([bytes], { objectMode: false }),
    resolve: async () => ({ descriptor, bytes }),
  } as unknown as Store;
}

const REFERENCE = parseReference('r.example/a/b:v1');
const AMD64 = parsePlatform('linux/amd64');

/** JSON with so many bytes. */
const jsonOf = (value: object, bytes: number): Buffer => {
  const plain = JSON.stringify(value);
  return Buffer.from(plain + ' '.repeat(bytes - plain.length));
};

/** How the rows are named whose tests are further down. */
test('every limit has its test', () => {
  assert.deepEqual(
    Object.keys(REACH).filter((name) => REACH[name as keyof typeof LIMITS] === 'elsewhere'),
    ['tocBytes', 'frame', 'manifest', 'pushedManifest', 'indexes', 'config', 'recordConfig', 'token'],
  );
});

test('a config, and indexes inside each other', async () => {
  const imageWith = (bytes: number): Store => {
    const config = jsonOf({ architecture: 'amd64', os: 'linux' }, bytes);
    const described = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: bytes,
    };
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config: described, layers: [] }));
    const store = storeOf(manifest, 'application/vnd.oci.image.manifest.v1+json');
    return { ...store, get: async () => Readable.from([config], { objectMode: false }) };
  };
  await resolveImage(imageWith(LIMITS.config.most), REFERENCE, AMD64);
  await assert.rejects(resolveImage(imageWith(LIMITS.config.most + 1), REFERENCE, AMD64), CORRUPT);

  let asked = 0;
  const indexOf = (size: number): Buffer => {
    const platform = { os: 'linux', architecture: 'amd64' };
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    return Buffer.from(
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...descriptor, platform, mediaType, size }] }),
    );
  };
  // Its own size, in three digits.
  const nested = storeOf(indexOf(indexOf(100).length));
  const endless: Store = {
    ...nested,
    resolve: (tag) => {
      asked += 1;
      return nested.resolve(tag);
    },
  };
  await assert.rejects(resolveImage(endless, REFERENCE, AMD64), CORRUPT);
  assert.equal(asked, LIMITS.indexes.most + 1);
});

test("a cache record's config is a miss when it is too long", async () => {
  const described = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest,
    size: LIMITS.recordConfig.most + 1,
  };
  const annotations = { 'dev.envbuilder.record': 'config' };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = { schemaVersion: 2, mediaType, config: described, layers: [descriptor], annotations };
  for (const size of [described.size, 10]) {
    const store = storeOf(Buffer.from(JSON.stringify({ ...manifest, config: { ...described, size } })));
    const long = { ...store, get: async () => Readable.from([Buffer.alloc(LIMITS.recordConfig.most + 1)]) };
    const warnings: unknown[] = [];
    const options = { stores: [long], trust: { accepts: () => true }, ttlMs: 1, now: 0 };
    const emit = (event: unknown): void => void warnings.push(event);
    const found = await lookupRecords([digest], { ...options, emit } as unknown as LookupOptions);
    assert.equal(found.size, 0);
    assert.match(JSON.stringify(warnings), /config .* is too long/);
  }
});

test('a manifest and a token that a registry sends, and a manifest that ours takes', async (t) => {
  const { registry, store } = await openFakeStore(t);
  const type = 'application/vnd.oci.image.index.v1+json';
  const send = (size: number): void => {
    registry.manifests.set('v1', { bytes: jsonOf({ schemaVersion: 2, manifests: [] }, size), type });
  };
  send(LIMITS.manifest.most);
  assert.equal((await store.resolve('v1'))?.bytes.length, LIMITS.manifest.most);
  send(LIMITS.manifest.most + 1);
  await assert.rejects(store.resolve('v1'), CORRUPT);

  let tokenBytes = LIMITS.token.most;
  registry.faults.push(({ path, headers }, response) => {
    if (path === '/token') response.end(jsonOf({ token: 'secret' }, tokenBytes));
    else if (headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end();
    else return false;
    return true;
  });
  send(1000);
  assert.equal((await store.resolve('v1'))?.bytes.length, 1000);
  tokenBytes += 1;
  const other = await openFakeStore(t);
  other.registry.faults.push((_, response) => {
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end();
    return true;
  });
  await assert.rejects(other.store.resolve('v1'), { code: 'REGISTRY' });

  const own = await startTestServer(t);
  const put = async (size: number): Promise<number> => {
    const body = jsonOf({ schemaVersion: 2, mediaType: type, manifests: [] }, size);
    const answer = await fetch(`${own.url}/v2/a/manifests/v1`, {
      method: 'PUT',
      body,
      headers: { 'content-type': type },
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.equal(await put(LIMITS.pushedManifest.most), 201);
  assert.equal(await put(LIMITS.pushedManifest.most + 1), 413);
});

test('the map of an old sparse file is as long as for Go, empty blocks and all', async () => {
  assert.equal((await entriesOf(sparseBlocks(2047))).length, 1);
  await assert.rejects(entriesOf(sparseBlocks(2048)), CORRUPT);
});

test('a table of contents that would be too large to read is not written', async () => {
  const xattrs = new Map([['user.a', Buffer.alloc(49_152, 'x')]]);
  // 65,536 bytes in base64, and less than 1024 for all else.
  const most = Math.floor(LIMITS.tocBytes.most / 66_560);
  const encoded = (rows: number, entry: LayerEntry, frames = 0) => {
    const writer = createTocWriter();
    for (let row = 0; row < rows; row += 1) writer.add(entry, 0);
    return writer.finish(
      Array.from({ length: frames }, () => TOC_FRAME),
      0,
    );
  };
  assert.ok(encoded(most, { ...FILE, xattrs }));
  assert.equal(encoded(LIMITS.tocBytes.most / 65_536, { ...FILE, xattrs }), undefined);
  assert.equal(encoded(LIMITS.tocRows.most + 1, FILE), undefined);
  assert.equal(encoded(1, FILE, LIMITS.tocFrames.most + 1), undefined);
  const large = new Map([['user.a', Buffer.alloc(LIMITS.tocRow.most)]]);
  assert.equal(encoded(1, { ...FILE, xattrs: large }), undefined);
});

test('a frame that says it has more than a frame may have', async () => {
  const parts: Buffer[] = [];
  const writer = createLayerWriter({
    compression: 'zstd',
    sink: (part) => void parts.push(Buffer.from(part)),
  });
  await writer.add({ ...FILE, size: LIMITS.frame.most }, [Buffer.alloc(LIMITS.frame.most)]);
  const { size, toc } = await writer.finish();
  const blob = Buffer.concat(parts);
  const readRange = async (offset: number, length: number): Promise<Buffer> =>
    blob.subarray(offset, offset + length);
  const { frames } = await readToc({ readRange, size, toc: toc! });
  assert.equal(frames[0]!.tarLength, LIMITS.frame.most);
  const [first, second] = frames;
  const both = {
    ...first!,
    length: first!.length + second!.length,
    tarLength: first!.tarLength + second!.tarLength,
  };
  assert.throws(() => createLayoutCheck(both.length).frame(both), CORRUPT);
});

/** Seconds of processor time and MiB that any of these may take, whatever the machine does besides. */
const MOST_SECONDS = 20;
const MOST_MIB = 400;

/** Small layers that once took minutes or gigabytes, and how each ends. */
const COSTLY: Record<string, { readonly make: () => Iterable<Buffer>; readonly ends: string }> = {
  'a path of 100,000 components': {
    make: () => [extension('x', record('path', 'a/'.repeat(100_000))), block('f', '0', 0)],
    ends: 'CORRUPT',
  },
  'a path of 8 million components': {
    make: () => [extension('x', record('path', 'a/'.repeat(8_000_000))), block('f', '0', 0)],
    ends: 'CORRUPT',
  },
  'a GNU name of 8 million components': {
    make: () => [extension('L', Buffer.from('a/'.repeat(8_000_000))), block('f', '0', 0)],
    ends: 'CORRUPT',
  },
  'a sparse header that never ends': { make: () => [sparseBlocks(800_000)], ends: 'CORRUPT' },
  'a sparse map that never ends': {
    make: () => [
      extension(
        'x',
        Buffer.concat([
          record('GNU.sparse.major', '1'),
          record('GNU.sparse.minor', '0'),
          record('GNU.sparse.realsize', '9'),
        ]),
      ),
      block('f', '0', 200 << 20),
      Buffer.from('99999999\n'),
      ...repeated(Buffer.from('0\n0\n'.repeat(1 << 18)), 200),
    ],
    ends: 'CORRUPT',
  },
  'a global header for thousands of files': {
    make: function* () {
      const value = 'x'.repeat(60_000);
      yield extension(
        'g',
        Buffer.concat([
          record('path', 'other'),
          ...Array.from({ length: 16 }, (_, i) => record(`SCHILY.xattr.user.${i}`, value)),
        ]),
      );
      for (let i = 0; i < 5000; i += 1) yield block(`${i}`, '0', 0);
    },
    ends: '5000 files',
  },
  'PAX values of 15 MB one after the other': {
    make: () => [
      ...repeated(extension('x', record('comment', 'x'.repeat(15 << 20))), 20),
      block('f', '0', 0),
    ],
    ends: 'CORRUPT',
  },
  'PAX values of 1 MB one after the other': {
    make: () => [
      ...repeated(extension('x', record('comment', 'x'.repeat(1_000_000))), 300),
      block('f', '0', 0),
    ],
    ends: 'CORRUPT',
  },
  'large attributes for each of many files': {
    make: function* () {
      const value = record('SCHILY.xattr.user.a', 'x'.repeat(60_000));
      for (let i = 0; i < 8000; i += 1) {
        yield extension('x', value);
        yield seal(block(`${i}`, '2', 0).fill('l', 157, 158));
      }
    },
    ends: 'CORRUPT',
  },
  'long paths for each of many files': {
    make: function* () {
      for (let i = 0; i < 60_000; i += 1) {
        yield extension('x', record('path', `${'d/'.repeat(2000)}${i}`));
        yield block('f', '0', 0);
      }
    },
    ends: 'CORRUPT',
  },
  'directories that only paths name': {
    make: function* () {
      for (let i = 0; i < 200_000; i += 1) yield block(`${i % 400}/${i}/f`, '6', 0);
    },
    ends: 'CORRUPT',
  },
  'the same file a hundred thousand times': {
    make: function* () {
      for (let i = 0; i < 100_000; i += 1) yield block('f', '6', 0);
    },
    ends: '0 files',
  },
  'hard links to what is not there any more': {
    make: function* () {
      yield block('f', '0', 0);
      yield hardLink('a', 'f');
      for (let i = 0; i < 10_000; i += 1) {
        yield hardLink('b', 'a');
        yield hardLink('c', 'b');
      }
    },
    ends: '1 files',
  },
  'opaque markers over many files': {
    make: function* () {
      for (let i = 0; i < 20_000; i += 1) yield block(`d/${i}`, '6', 0);
      for (let i = 0; i < 20_000; i += 1) yield block('d/.wh..wh..opq', '0', 0);
      for (let i = 0; i < 20_000; i += 1) yield block('.wh.d', '0', 0);
    },
    ends: '0 files',
  },
  'a sparse file of 6 TiB': {
    make: () => {
      const header = block('sparse', 'S', 0);
      header.write('ustar  \0', 257, 'latin1');
      header.writeUInt8(0x80, 483);
      header.writeBigUInt64BE(6n << 40n, 487);
      return [seal(header)];
    },
    ends: 'CORRUPT',
  },
  'twenty megabytes of zeros behind it': { make: () => [block('f', '0', 0), END], ends: '1 files' },
};

function* repeated(bytes: Buffer, times: number): Generator<Buffer> {
  for (let i = 0; i < times; i += 1) yield bytes;
}

function hardLink(path: string, to: string): Buffer {
  const header = block(path, '1', 0);
  header.write(to, 157, 'latin1');
  return seal(header);
}

const EXTRACT = `
  import { createReadStream, readFileSync, statSync } from 'node:fs';
  import { extractLayers } from '${import.meta.dirname}/../src/rootfs/extract/extract.ts';
  import { createSyscalls } from '${import.meta.dirname}/../src/sys/syscalls.ts';
  const [file, target] = process.argv.slice(1);
  const layer = { mediaType: '', digest: 'sha256:', size: statSync(file).size, from: 'a test', open: async () => createReadStream(file) };
  const privileged = process.getuid() === 0;
  const end = await extractLayers({ layers: [layer], target, privileged, emit: () => {} }, { sys: createSyscalls() })
    .then(({ files }) => files + ' files', ({ code, message }) => code ?? message);
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const [, kib] = /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'latin1'));
  console.log(JSON.stringify({ end, seconds: (userCPUTime + systemCPUTime) / 1e6, mib: kib / 1024 }));`;

for (const [what, { make, ends }] of Object.entries(COSTLY)) {
  test(`it costs little: ${what}`, async (t) => {
    const directory = mkdtempSync(join(scratch, 'layer-'));
    const file = join(directory, 'layer');
    const tail = what.includes('behind it') ? Buffer.alloc(20_000_000) : Buffer.alloc(0);
    await pipeline(
      Readable.from(withEnd(make()), { objectMode: false }),
      createGzip({ level: 1 }),
      createWriteStream(file),
    );
    appendFileSync(file, tail);
    mkdirSync(join(directory, 'root'));
    const args = ['--no-warnings', '--input-type=module', '-e', EXTRACT, file, join(directory, 'root')];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const { end, seconds, mib } = JSON.parse(stdout || 'null') ?? { end: stderr };
    t.diagnostic(`${seconds} s of processor time, ${mib} MiB`);
    assert.equal(end, ends);
    assert.ok(seconds < MOST_SECONDS, `${seconds} s`);
    assert.ok(mib < MOST_MIB, `${mib} MiB`);
    rmSync(directory, { recursive: true });
  });
}

function* withEnd(parts: Iterable<Buffer>): Generator<Buffer> {
  yield* parts;
  yield END;
}
