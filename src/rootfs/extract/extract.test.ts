import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import { AppError } from '../../core/error.ts';
import type { Event } from '../../core/events.ts';
import { decodePath, fsPath } from '../../core/path-bytes.ts';
import type { Compression, LayerBlob } from '../../layer/types.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { describeTree } from '../describe-tree.ts';
import { type ExtractDeps, extractLayers } from './extract.ts';
import { entryOf, fileBlob, fileOf, layerOf, type TestEntry, withOverlay } from './testing.ts';

const sys = createSyscalls();
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'extract-test-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));

const dir = (name: string, mode = 0o755) => entryOf('dir', name, { mode });
const link = (name: string, linkname: string) => entryOf('symlink', name, { linkname });
const hard = (name: string, linkname: string) => entryOf('hardlink', name, { linkname });
const gone = (name: string) => fileOf(path.join(path.dirname(name), `.wh.${path.basename(name)}`), '');
const opaque = (name: string) => fileOf(path.join(name, '.wh..wh..opq'), '');
const root = dir('');

async function extract(
  layers: readonly LayerBlob[],
  events: Event[] = [],
  limits: Pick<ExtractDeps, 'overlapFrom' | 'inlineBytes'> = {},
) {
  const target = fs.mkdtempSync(path.join(base, 'target-'));
  const emit = (event: Event): number => events.push(event);
  const deps = { sys, ...limits };
  return { target, result: await extractLayers({ layers, target, privileged: true, emit }, deps) };
}

async function extractStack(stack: readonly (readonly TestEntry[])[], compressions: readonly Compression[]) {
  const layers = await Promise.all(
    stack.map((entries, index) => layerOf(base, entries, compressions[index % compressions.length])),
  );
  const beside = await extract(layers, [], { overlapFrom: 0, inlineBytes: 0 });
  const { target, result } = await extract(layers);
  assert.deepEqual(
    describeTree(beside.target),
    describeTree(target),
    'written beside the streams, by threads',
  );
  assert.deepEqual(beside.result, result);
  return { target, result };
}

/** A tree as `path: what it is`, for expectations. */
function listTree(target: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const { path: name, type, link: to, first } of describeTree(target)) {
    const text = type === 'file' ? fs.readFileSync(fsPath(path.join(target, name)), 'latin1') : type;
    out[name] = type === 'symlink' ? `-> ${to}` : first === name ? text : `= ${first}`;
  }
  delete out[''];
  return out;
}

const failure = async (work: Promise<unknown>): Promise<AppError> => {
  const error = await work.then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AppError, String(error));
  return error;
};

const ways: Record<string, Compression[]> = {
  'all with tables': ['zstd'],
  'all streamed': ['gzip'],
  'a foreign base': ['none', 'zstd', 'zstd', 'zstd'],
  'a foreign layer in between': ['zstd', 'gzip', 'zstd', 'zstd'],
};

/** Stacks whose union a real overlay mount defines. */
const overlayCases: Record<string, TestEntry[][]> = {
  'a file replaces a file': [
    [root, fileOf('a', 'old', { mtime: 5 })],
    [root, fileOf('a', 'new', { mode: 0o600 })],
  ],
  'a whiteout removes a file': [
    [root, fileOf('a', 'x'), fileOf('b', 'y')],
    [root, gone('a')],
  ],
  'a whiteout removes a directory': [
    [root, dir('d'), dir('d/e'), fileOf('d/e/f', 'x')],
    [root, gone('d')],
  ],
  'a removed directory comes back': [
    [root, dir('d'), fileOf('d/f', 'x')],
    [root, gone('d')],
    [root, dir('d'), fileOf('d/g', 'y')],
  ],
  'an opaque directory hides what is below': [
    [root, dir('d'), fileOf('d/f', 'x'), dir('d/e'), fileOf('d/e/f', 'x')],
    [root, dir('d', 0o700), opaque('d'), dir('d/e'), fileOf('d/e/g', 'y')],
  ],
  'the opaque mark may come last': [
    [root, dir('d'), fileOf('d/f', 'x'), dir('d/e'), fileOf('d/e/f', 'x')],
    [root, dir('d'), dir('d/e'), fileOf('d/e/g', 'y'), opaque('d')],
  ],
  'a whiteout does not hide its own layer': [
    [root, dir('d'), fileOf('d/f', 'x')],
    [root, dir('d'), fileOf('d/f', 'new'), gone('d/f')],
  ],
  'a file replaces a directory': [
    [root, dir('d'), fileOf('d/f', 'x')],
    [root, fileOf('d', 'file')],
  ],
  'a directory replaces a file': [
    [root, fileOf('d', 'file')],
    [root, dir('d'), fileOf('d/f', 'x')],
  ],
  'a symlink replaces a directory': [
    [root, dir('d'), fileOf('d/f', 'x')],
    [root, link('d', 'e')],
  ],
  'a directory replaces a symlink': [
    [root, dir('run'), fileOf('run/keep', 'k'), dir('var'), link('var/run', '/run')],
    [root, dir('var'), dir('var/run'), fileOf('var/run/x', 'x')],
  ],
  'directories merge, the topmost entry gives the metadata': [
    [root, entryOf('dir', 'd', { mode: 0o700, uid: 5, gid: 6, mtime: 1 }), fileOf('d/f', 'x')],
    [root, entryOf('dir', 'd', { mode: 0o3775, uid: 7, gid: 8, mtime: 2 }), fileOf('d/g', 'y')],
  ],
  'hard links of a layer': [
    [root, dir('d'), fileOf('d/f', 'x'.repeat(100)), hard('a', 'd/f'), hard('b', 'a')],
    [root, dir('d'), gone('d/f')],
    [root, fileOf('a', 'replaced')],
  ],
  'a hard link to a symlink': [
    [root, link('s', 'nowhere'), hard('t', 's')],
    [root, gone('s')],
  ],
  'owners, sticky, setuid and times': [
    [
      entryOf('dir', '', { mode: 0o755, mtime: 77 }),
      entryOf('dir', 'tmp', { mode: 0o1777, mtime: 3 }),
      fileOf('su', 'elf', { mode: 0o6755, uid: 1000, gid: 1000, mtime: 4 }),
      fileOf('owned', '', { mode: 0o666, uid: 12, gid: 34, mtime: 5 }),
      entryOf('symlink', 'l', { linkname: 'su', uid: 9, gid: 9, mtime: 6 }),
    ],
  ],
};

describe('a union is what overlayfs makes of it', () => {
  for (const [name, stack] of Object.entries(overlayCases)) {
    test(name, async () => {
      const expected = await withOverlay(base, stack, (mounted) => describeTree(mounted));
      for (const [way, compressions] of Object.entries(ways)) {
        const { target } = await extractStack(stack, compressions);
        assert.deepEqual(describeTree(target), expected, way);
      }
    });
  }
});

/** What overlayfs cannot say: parents without entries, symlinks inside a layer, links into lower layers. */
const listedCases: Record<string, { stack: TestEntry[][]; tree: Record<string, string> }> = {
  'an entry without its parents, over a symlink of a lower layer': {
    stack: [[link('var', '/run'), dir('run')], [fileOf('var/x', 'x')]],
    tree: { run: 'dir', var: 'dir', 'var/x': 'x' },
  },
  'an entry below a symlink of the same layer': {
    stack: [[dir('run'), dir('var'), link('var/run', '../../../run'), fileOf('var/run/x', 'x')]],
    tree: { run: 'dir', 'run/x': 'x', var: 'dir', 'var/run': '-> ../../../run' },
  },
  'a symlink that points out of the root': {
    stack: [[link('out', '/../../etc'), fileOf('out/x', 'x')]],
    tree: { etc: 'dir', 'etc/x': 'x', out: '-> /../../etc' },
  },
  'a hard link to a lower layer, whose name goes': {
    stack: [[fileOf('a', 'content')], [hard('b', 'a')], [gone('a')]],
    tree: { b: 'content' },
  },
  'a hard link to a lower layer, whose name is replaced': {
    stack: [[dir('d'), fileOf('d/a', 'content')], [hard('b', 'd/a'), hard('c', 'b')], [fileOf('d', 'new')]],
    tree: { b: 'content', c: '= b', d: 'new' },
  },
  'a path that is listed twice': {
    stack: [
      [
        fileOf('a', 'first'),
        hard('b', 'a'),
        fileOf('a', 'second'),
        dir('d'),
        fileOf('d/x', ''),
        fileOf('d', 'f'),
      ],
    ],
    tree: { a: 'second', b: 'first', d: 'f' },
  },
  "aufs's own files": {
    stack: [
      [
        dir('.wh..wh.plnk'),
        fileOf('.wh..wh.plnk/1.2', 'x'),
        hard('a', '.wh..wh.plnk/1.2'),
        fileOf('.wh..wh.aufs', ''),
      ],
    ],
    tree: { a: 'x' },
  },
  'a whiteout of nothing': { stack: [[gone('a')], [gone('d/b')]], tree: { d: 'dir' } },
};

describe('what layers of other tools hold', () => {
  for (const [name, { stack, tree }] of Object.entries(listedCases)) {
    for (const [way, compressions] of Object.entries(ways)) {
      test(`${name}, ${way}`, async () => {
        assert.deepEqual(listTree((await extractStack(stack, compressions)).target), tree);
      });
    }
  }

  test('a parent without an entry keeps what lower layers say of it, else it is 0755 and of root', async () => {
    for (const compressions of Object.values(ways)) {
      const stack = [
        [entryOf('dir', 'd', { mode: 0o711, uid: 3, mtime: 9 })],
        [fileOf('d/x', 'x'), fileOf('e/x', 'x')],
      ];
      const tree = describeTree((await extractStack(stack, compressions)).target);
      const facts = tree
        .filter(({ type }) => type === 'dir')
        .map(({ mode, uid, mtime }) => [mode, uid, mtime]);
      assert.deepEqual(facts, [
        [0o755, 0, 0n],
        [0o711, 3, 9_000_000_000n],
        [0o755, 0, 0n],
      ]);
    }
  });

  test('names that are not UTF-8', async () => {
    const name = decodePath(Buffer.from([0x64, 0xff, 0x2f, 0xe9]));
    const stack = [
      [dir(name.slice(0, 2)), fileOf(name, 'x'), link('l', name), hard('h', name)],
      [fileOf('z', 'z')],
    ];
    for (const compressions of Object.values(ways)) {
      const tree = listTree((await extractStack(stack, compressions)).target);
      assert.deepEqual(tree, {
        [name.slice(0, 2)]: 'dir',
        [name]: 'x',
        h: `= ${name}`,
        l: `-> ${name}`,
        z: 'z',
      });
    }
  });

  test('devices, fifos, attributes, and times with nanoseconds or before 1970', async () => {
    const stack = [
      [
        entryOf('char', 'null', { devmajor: 1, devminor: 3, mode: 0o666 }),
        entryOf('fifo', 'pipe', { mode: 0o622, mtime: 8 }),
        fileOf('cap', 'elf', {
          uid: 5,
          xattrs: new Map([
            ['security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')],
          ]),
        }),
        fileOf('user', 'x', {
          xattrs: new Map([
            ['user.note', Buffer.from('hello')],
            ['trusted.overlay.opaque', Buffer.from('y')],
          ]),
        }),
        fileOf('fine', 'x', { mtime: 1, mtimeNsec: 123_456_789 }),
        entryOf('symlink', 'old', { linkname: 'x', mtime: -5 }),
      ],
    ];
    for (const compressions of [['zstd'], ['gzip']] as const) {
      const { target } = await extractStack(stack, compressions);
      const tree = new Map(describeTree(target, sys).map((each) => [each.path, each]));
      assert.equal(tree.get('null')!.device, '1:3');
      assert.equal(tree.get('null')!.mode, 0o666);
      assert.deepEqual([tree.get('pipe')!.type, tree.get('pipe')!.mode], ['fifo', 0o622]);
      assert.deepEqual(tree.get('cap')!.xattrs, {
        'security.capability': '0100000200040000000000000000000000000000',
      });
      assert.deepEqual(tree.get('user')!.xattrs, { 'user.note': Buffer.from('hello').toString('hex') });
      assert.equal(tree.get('fine')!.mtime, 1_123_456_789n);
      assert.equal(tree.get('old')!.mtime, -5_000_000_000n);
    }
  });
});

describe('layers that must not be unpacked', () => {
  const bad: Record<string, TestEntry[]> = {
    'a path below a file': [fileOf('a', 'x'), fileOf('a/b', 'y')],
    'a hard link to nothing': [hard('a', '/etc/passwd')],
    'a hard link to a directory': [dir('d'), hard('a', 'd')],
    'a loop of symlinks': [link('a', 'b'), link('b', 'a'), fileOf('a/x', 'x')],
  };
  for (const [name, entries] of Object.entries(bad)) {
    for (const compression of ['zstd', 'gzip'] as const) {
      test(`${name}, ${compression}`, async () => {
        const layer = await layerOf(base, entries, compression);
        const error = await failure(extract([layer]));
        assert.equal(error.code, 'CORRUPT');
        assert.equal(error.where?.layer, layer.digest);
        assert.match(error.message, new RegExp(`${layer.digest} from a test directory`));
      });
    }
  }

  test('whiteouts of nothing, of a directory itself and of its parent hide nothing', async () => {
    for (const compression of ['zstd', 'gzip'] as const) {
      const below = await layerOf(base, [dir('d'), fileOf('d/x', 'x'), fileOf('y', 'y')], compression);
      const markers = ['.wh.', 'd/.wh.', '.wh..', 'd/.wh..', '.wh...', 'd/.wh...'];
      const layer = await layerOf(
        base,
        markers.map((name) => fileOf(name, '')),
        compression,
      );
      const { target } = await extract([below, layer]);
      const paths = fs.readdirSync(target, { recursive: true });
      assert.deepEqual(paths.map(String).sort(), ['d', 'd/x', 'y']);
    }
  });

  test('nothing is written through a symlink to the outside', async () => {
    const outside = fs.mkdtempSync(path.join(base, 'outside-'));
    const stack = [
      [link('a', outside), link('b', `${'../'.repeat(12)}${outside}`)],
      [fileOf('a/x', 'x'), fileOf('b/y', 'y')],
    ];
    for (const compressions of Object.values(ways)) await extractStack(stack, compressions);
    await extractStack([stack.flat()], ['zstd']);
    await extractStack([stack.flat()], ['gzip']);
    assert.deepEqual(fs.readdirSync(outside), []);
  });

  test('a byte that is wrong, anywhere in what is read', async () => {
    const noise = randomBytes(10 << 20);
    const layer = await layerOf(base, [fileOf('a', noise), fileOf('b', 'b')]);
    for (const at of [10, 5000, 7 << 20, layer.toc!.offset + 30]) {
      const bytes = fs.readFileSync(layer.file);
      bytes[at]! ^= 1;
      const file = `${layer.file}-${at}`;
      fs.writeFileSync(file, bytes);
      const error = await failure(extract([{ ...layer, ...fileBlob(file) }]));
      assert.equal(error.code, 'CORRUPT');
      assert.equal(error.where?.layer, layer.digest);
      assert.match(error.message, /from a test directory/);
    }
  });

  test('a wrong frame among more than fit into memory at once ends it, with no file left open', async () => {
    const noise = randomBytes(48 << 20);
    const layer = await layerOf(base, [fileOf('a', noise.subarray(1)), fileOf('b', noise)]);
    // Reads of the layer that were under way may still be.
    const open = (): number =>
      fs.readdirSync('/proc/self/fd').filter((fd) => {
        try {
          const file = fs.readlinkSync(`/proc/self/fd/${fd}`);
          return file.startsWith(base) && file !== layer.file;
        } catch {
          return false;
        }
      }).length;
    for (const at of [1000, 20 << 20]) {
      const readRange: LayerBlob['readRange'] = async (offset, length, into) => {
        const bytes = await layer.readRange(offset, length, into);
        if (offset <= at && at < offset + length) bytes[at - offset]! ^= 1;
        return bytes;
      };
      const error = await failure(extract([{ ...layer, readRange }]));
      assert.equal(error.code, 'CORRUPT');
      assert.equal(open(), 0);
    }
  });

  test('a blob that is cut short', async () => {
    for (const compression of ['zstd', 'gzip'] as const) {
      const layer = await layerOf(
        base,
        [fileOf('a', Buffer.alloc(9_000_000, 'abc')), fileOf('b', 'b')],
        compression,
      );
      const bytes = fs.readFileSync(layer.file);
      const file = `${layer.file}-short`;
      const cut = Buffer.concat([
        bytes.subarray(0, 200),
        Buffer.alloc(compression === 'zstd' ? bytes.length - 200 : 0),
      ]);
      bytes.copy(cut, layer.toc?.offset ?? cut.length, layer.toc?.offset ?? bytes.length);
      fs.writeFileSync(file, cut);
      assert.equal((await failure(extract([{ ...layer, ...fileBlob(file) }]))).code, 'CORRUPT');
    }
  });
});

describe('the work', () => {
  test('all of a layer is read once, also frames that hold nothing of use', async () => {
    const big = (fill: string): Buffer => Buffer.alloc(9 << 20, fill);
    const lower = await layerOf(base, [fileOf('keep', 'k'), fileOf('big', big('old '))]);
    const upper = await layerOf(base, [fileOf('big', big('new '))]);
    let read = 0;
    const spied = {
      ...lower,
      readRange: (offset: number, length: number) => {
        read += length;
        return lower.readRange(offset, length);
      },
    };
    const { target, result } = await extract([spied, upper]);
    assert.ok(fs.readFileSync(path.join(target, 'big')).equals(big('new ')));
    assert.deepEqual(result, { files: 2, bytes: (9 << 20) + 1, skipped: 1, xattrs: new Map() });
    assert.equal(read, lower.size);
  });

  test('a stream has to match its diffID where something relies on it, and has to end', async () => {
    const layer = await layerOf(base, [fileOf('a', 'content'), fileOf('b', 'more')], 'gzip');
    const other = { ...layer, diffId: `sha256:${'1'.repeat(64)}` as const };
    for (const blob of [layer, { ...layer, checkDiffId: true }, other]) await extract([blob]);
    const lied = await failure(extract([{ ...other, checkDiffId: true }]));
    assert.equal(lied.code, 'CORRUPT');
    assert.equal(lied.where?.layer, layer.digest);

    const bytes = fs.readFileSync(layer.file);
    let sent = 0;
    const endless = async function* (): AsyncGenerator<Buffer> {
      yield bytes;
      for (; sent < 1 << 30; sent += 1 << 20) yield Buffer.alloc(1 << 20);
    };
    const open = async () => Readable.from(endless(), { objectMode: false });
    const long = await failure(extract([{ ...layer, open }]));
    assert.equal(long.code, 'CORRUPT');
    assert.ok(sent < 1 << 26);
  });

  test('files larger than a frame, and many small ones', async () => {
    const bytes = Buffer.from(Array.from({ length: 3 << 20 }, (_, i) => (i * 7919) >> 5));
    const big = Buffer.concat([bytes, bytes, bytes, bytes, bytes]);
    const small = Array.from({ length: 300 }, (_, i) => fileOf(`s/${i}`, `${i}`.repeat(i)));
    const entries = [fileOf('x', big), ...small, fileOf('y', big.subarray(5)), fileOf('empty', '')];
    for (const compression of ['zstd', 'gzip'] as const) {
      const { target, result } = await extract([await layerOf(base, entries, compression)]);
      assert.ok(fs.readFileSync(path.join(target, 'x')).equals(big));
      assert.ok(fs.readFileSync(path.join(target, 'y')).equals(big.subarray(5)));
      for (const { entry, content } of small)
        assert.ok(fs.readFileSync(path.join(target, entry.path)).equals(content!));
      assert.equal(result.files, 303);
      assert.equal(
        result.bytes,
        entries.reduce((sum, { entry }) => sum + entry.size, 0),
      );
    }
  });

  test('progress ends at the total, with one phase of each kind', async () => {
    for (const compression of ['zstd', 'gzip'] as const) {
      const layer = await layerOf(base, [fileOf('a', 'x')], compression);
      const events: Event[] = [];
      await extract([layer], events);
      const progress = events.filter((event) => event.type === 'progress');
      assert.deepEqual(progress.at(-1), {
        type: 'progress',
        what: 'extract',
        done: layer.size,
        total: layer.size,
      });
      const phases = events.filter((event) => event.type === 'phase').map(({ phase }) => phase);
      assert.deepEqual(phases, ['download', 'verify', 'decode', 'write', 'extract']);
    }
  });

  test('an abort stops it', async () => {
    const layers = [await layerOf(base, [fileOf('a', 'x')]), await layerOf(base, [fileOf('b', 'x')], 'gzip')];
    const target = fs.mkdtempSync(path.join(base, 'target-'));
    const signal = AbortSignal.abort(new AppError('ABORTED', 'interrupted'));
    for (const each of layers) {
      const request = { layers: [each], target, privileged: true, emit: () => {}, signal };
      assert.equal((await failure(extractLayers(request, { sys }))).code, 'ABORTED');
    }
  });

  test('a directory that the user may not write to, and devices, without privileges', async () => {
    const layer = await layerOf(base, [
      entryOf('dir', 'd', { mode: 0o555, uid: 7 }),
      fileOf('d/f', 'x', { uid: 7 }),
      entryOf('char', 'c', { devmajor: 1, devminor: 3 }),
    ]);
    const target = fs.mkdtempSync(path.join(base, 'target-'));
    const events: Event[] = [];
    const emit = (event: Event): number => events.push(event);
    const refusing = {
      ...sys,
      mknod: () => {
        throw Object.assign(new Error('refused'), { code: 'EPERM', syscall: 'mknod' });
      },
    };
    await extractLayers({ layers: [layer], target, privileged: false, emit }, { sys: refusing });
    const tree = describeTree(target).map(({ path: name, mode, uid }) => [name, mode, uid]);
    assert.deepEqual(tree, [
      ['', 0o755, 0],
      ['d', 0o555, 0],
      ['d/f', 0o644, 0],
    ]);
    assert.equal(events.filter((event) => event.type === 'warning').length, 1);
    const again = fs.mkdtempSync(path.join(base, 'target-'));
    const error = await failure(
      extractLayers({ layers: [layer], target: again, privileged: true, emit }, { sys: refusing }),
    );
    assert.equal(error.code, 'PERMISSION');
    assert.ok(error.hint);
  });

  test('the device that overlay file systems refuse is left out, whatever there is of rights', async () => {
    const layer = await layerOf(base, [entryOf('char', 'c'), fileOf('f', 'x')]);
    const refusing = {
      ...sys,
      mknod: () => {
        throw Object.assign(new Error('refused'), { code: 'EPERM', syscall: 'mknod' });
      },
    };
    for (const privileged of [true, false]) {
      const target = fs.mkdtempSync(path.join(base, 'target-'));
      const events: Event[] = [];
      const emit = (event: Event): number => events.push(event);
      await extractLayers({ layers: [layer], target, privileged, emit }, { sys: refusing });
      assert.deepEqual(fs.readdirSync(target), ['f']);
      const warnings = events.filter((event) => event.type === 'warning');
      assert.match(
        warnings.map(({ text }) => text).join('\n'),
        /^device nodes such as c are left out, for .*deleted$/,
      );
    }
  });
});

test('an opaque mark below a file of its layer hides nothing, as Docker has it', async () => {
  const below = [root, fileOf('f', 'x'), dir('d'), fileOf('d/f', 'x')];
  for (const [way, compressions] of Object.entries(ways)) {
    const [marked, plain] = [
      await extractStack([below, [root, fileOf('f', 'new'), opaque('f')]], compressions),
      await extractStack([below, [root, fileOf('f', 'new')]], compressions),
    ];
    assert.deepEqual(describeTree(marked.target), describeTree(plain.target), way);
  }
});
