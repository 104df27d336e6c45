import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silent } from '../core/events.ts';
import { tempDir } from '../core/testing.ts';
import { createFileLayerWriter } from '../layer/file-layer-writer.ts';
import { readLayer } from '../layer/read-layer.ts';
import type { Compression, LayerBlob } from '../layer/types.ts';
import { createRunner } from '../sys/run.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import type { LayerEntry } from '../tar/types.ts';
import { createCopiesBackend } from './copies/backend.ts';
import { describeTree } from './describe-tree.ts';
import { extractLayers } from './extract/extract.ts';
import { entryOf, fileOf, layerOf } from './extract/testing.ts';
import { createOverlayBackend } from './overlay/backend.ts';
import { sh, step } from './testing.ts';
import type { RootfsBackend, RootfsState, StagedLayer } from './types.ts';

/* What every back end of directories makes of the same steps. */

const KINDS = ['overlay', 'copies'] as const;
type Kind = (typeof KINDS)[number];

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-backends-'));
const syscalls = createSyscalls();
const opened: RootfsBackend[] = [];
after(async () => {
  for (const backend of opened) await backend.dispose();
  rmSync(scratch, { recursive: true, force: true });
});

/** What a layer does to `BELOW`, and whether it can be written without what is below. */
const ADDED: readonly (readonly [what: string, script: string, alone: boolean])[] = [
  ['adds files and directories', 'echo 1 >a/new; mkdir -p b/c; echo 2 >b/c/d', true],
  ['replaces files', 'echo other >a/f; rm a/link; echo y >a/link; chmod 600 a/g', true],
  ['links files of its own', 'echo 1 >one; ln one a/two; ln -s two a/three; mkfifo pipe', true],
  [
    'changes directories',
    'chmod 750 a/deep; chown 7:8 a; setfattr -n user.y -v 2 a/deep; touch a/deep/z',
    true,
  ],
  ['takes attributes away', 'setfattr -x user.x a/x', true],
  ['removes files', 'rm a/f', false],
  ['has a file where a directory was', 'rm -r a/deep; echo f >a/deep', true],
  ['has a directory where a file was', 'rm a/f; mkdir a/f', false],
  ['makes a directory anew', 'rm -r a/deep; mkdir a/deep; echo n >a/deep/n', false],
];
const BELOW = 'mkdir -p a/deep/er a/x; echo f >a/f; ln a/f a/g; ln -s f a/link; echo e >a/deep/er/e';

const AGAIN = (name: string): string => `cp -p ${name} t; mv t ${name}`;
const OTHER = (name: string): string => `printf %100s other >${name}; touch -d @1600000000 ${name}`;

/** Steps on files whose size and time stay, what their layers hold, and how often the base is read for all of them. */
const AS_THEY_WERE: readonly (readonly [
  what: string,
  scripts: readonly string[],
  expected: readonly (readonly string[])[],
  read: number,
])[] = [
  ['a file written anew with what it had is no change', [AGAIN('d/f')], [[]], 1],
  ['rights that are given again are no change', ['chmod 644 d/f d/g; chown 0:0 d/h'], [[]], 1],
  ['other content is a change', [OTHER('d/f')], [['d', 'd/f']], 1],
  ['each file counts', [`${OTHER('d/f')}; ${AGAIN('d/g')}`], [['d', 'd/f']], 1],
  ['files that changed places are a change', ['mv d/f t; mv d/g d/f; mv t d/g'], [['d', 'd/f', 'd/g']], 1],
  ['a step later the same holds', ['echo new >new', AGAIN('d/g')], [['new'], []], 1],
  [
    'a file that an earlier step changed is compared with what that made',
    [OTHER('d/f'), AGAIN('d/f'), 'cat d/g >d/f; touch -d @1600000000 d/f'],
    [['d', 'd/f'], [], ['d', 'd/f']],
    3,
  ],
  [
    'one that is back as it was is a change from what it became',
    ['cp -p d/f old; ' + OTHER('d/f'), 'mv old d/f'],
    [
      ['d', 'd/f', 'old'],
      ['d', 'd/f', '.wh.old'],
    ],
    2,
  ],
  ['a large file is compared with its layer', [AGAIN('d/large')], [[]], 2],
  [
    'a link that is made again is no change',
    ['ln -s x d/l', 'rm d/l; ln -s x d/l; true'],
    [
      ['d', 'd/l'],
      ['d', 'd/l'],
    ],
    1,
  ],
];

function createBackend(kind: Kind, seen: (layers: number) => void = () => {}): RootfsBackend {
  const deps = {
    workDir: mkdtempSync(join(scratch, 'w')),
    syscalls,
    runner: createRunner(syscalls),
    extract: (request: Parameters<typeof extractLayers>[0]) => {
      seen(request.layers.length);
      return extractLayers(request, { sys: syscalls });
    },
    createLayerWriter: (file: string, compression: Compression) =>
      createFileLayerWriter(file, { compression }),
    blobOf,
    emit: silent,
    signal: new AbortController().signal,
  };
  const backend = kind === 'overlay' ? createOverlayBackend(deps) : createCopiesBackend(deps);
  opened.push(backend);
  return backend;
}

/** Applies shell scripts one after the other, each as a step, and gives the entries of each layer. */
async function layersOf(kind: Kind, ...scripts: string[]): Promise<LayerEntry[][]> {
  const backend = createBackend(kind);
  try {
    const found: LayerEntry[][] = [];
    let state = await backend.fromLayers([]);
    for (const script of scripts) {
      const { next, layer } = await step(state, (root) => sh(root, script));
      found.push(layer ? await entriesOf(layer) : []);
      state = next;
    }
    return found;
  } finally {
    await backend.dispose();
  }
}

async function entriesOf(layer: StagedLayer): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  for await (const { entry } of readLayer(createReadStream(layer.file), layer.mediaType, 'layer'))
    entries.push(entry);
  return entries;
}

const paths = (entries: readonly LayerEntry[] | undefined): string[] =>
  (entries ?? []).map((entry) => entry.path);

for (const kind of KINDS) {
  test(`${kind}: a deleted file and a deleted directory are whiteouts`, async () => {
    const [, removed] = await layersOf(kind, 'mkdir -p d/e; echo x >d/e/f; echo y >g', 'rm -r d/e g');
    assert.deepEqual(paths(removed), ['d', 'd/.wh.e', '.wh.g']);
  });

  test(`${kind}: a directory that was deleted and made again hides what it had`, async () => {
    const [, again] = await layersOf(kind, 'mkdir d; echo x >d/old', 'rm -r d; mkdir d; echo y >d/new');
    assert.deepEqual(paths(again), ['d', 'd/.wh..wh..opq', 'd/new']);
  });

  test(`${kind}: a renamed directory is complete under its new name`, async () => {
    const [, renamed] = await layersOf(kind, 'mkdir -p a/b; echo x >a/b/f', 'mv a z');
    assert.deepEqual(paths(renamed), ['.wh.a', 'z', 'z/b', 'z/b/f']);
  });

  test(`${kind}: types can change either way`, async () => {
    const [, fileNow, dirNow] = await layersOf(
      kind,
      'mkdir d; echo x >d/f',
      'rm -r d; echo file >d',
      'rm d; mkdir d; echo y >d/g',
    );
    assert.deepEqual(paths(fileNow), ['d']);
    assert.deepEqual(
      dirNow!.map(({ path, type }) => `${type} ${path}`),
      ['dir d', 'file d/g'],
    );
  });

  test(`${kind}: only what changed is there: modes and owners are a change, times of directories and reading are not`, async () => {
    const [, chmod, none, touched] = await layersOf(
      kind,
      'mkdir d tmp; echo x >d/f; echo y >d/g; chmod 1777 tmp',
      'chmod 600 d/f; chown 5:6 d/g',
      'touch tmp/x; rm tmp/x; cat d/f >/dev/null; chmod 600 d/f',
      'touch d/f',
    );
    assert.deepEqual(paths(chmod), ['d', 'd/f', 'd/g']);
    assert.deepEqual(none, []);
    assert.deepEqual(paths(touched), ['d', 'd/f']);
  });

  test(`${kind}: a file with its old size and time but other content is a change`, async () => {
    const [, changed] = await layersOf(
      kind,
      'echo aaa >f; touch -d @1000 f',
      'echo bbb >f; touch -d @1000 f',
    );
    assert.deepEqual(paths(changed), ['f']);
  });

  test(`${kind}: hard links, symlinks, fifos, devices, sparse files, capabilities and sticky bits are kept; sockets are not`, async () => {
    const [first] = await layersOf(
      kind,
      `
      echo x >b; ln b a; ln -s b s; mkfifo p; mknod dev c 1 3; truncate -s 5M sparse; mkdir t; chmod 1777 t; chmod 4755 b
      python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
      setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 b 2>/dev/null || true`,
    );
    const by = new Map(first!.map((entry) => [entry.path, entry]));
    assert.deepEqual([...by.keys()], ['a', 'b', 'dev', 'p', 's', 'sparse', 't']);
    assert.equal(by.get('a')!.mode, 0o4755);
    assert.deepEqual([by.get('b')!.type, by.get('b')!.linkname], ['hardlink', 'a']);
    assert.deepEqual([by.get('dev')!.devmajor, by.get('dev')!.devminor], [1, 3]);
    assert.equal(by.get('sparse')!.size, 5 * 1024 * 1024);
    assert.equal(by.get('t')!.mode, 0o1777);
  });

  test(`${kind}: the same change gives the same layer, byte for byte`, async () => {
    const backend = createBackend(kind);
    const base = await backend.fromLayers([]);
    const change = (root: string): void => {
      for (const name of ['x', 'y', 'z']) writeFileSync(join(root, name), name.repeat(1000));
      for (const name of ['x', 'y', 'z']) utimesSync(join(root, name), 1000, 1000);
    };
    const layers = [await step(base, change), await step(base, change)];
    assert.equal(layers[0]!.layer!.digest, layers[1]!.layer!.digest);
    await backend.dispose();
  });

  test(`${kind}: a step that is abandoned leaves nothing, and states stay as they were`, async () => {
    const backend = createBackend(kind);
    const base = await backend.fromLayers([]);
    const { next } = await step(base, (root) => sh(root, 'echo one >f'));
    const open = await next.begin();
    sh(open.root, 'echo two >f');
    await open.abandon();
    assert.equal(await next.read(async (root) => readFileSync(join(root, 'f'), 'utf8')), 'one\n');
    assert.equal(await base.read(async (root) => existsSync(join(root, 'f'))), false);
    await backend.dispose();
  });

  test(`${kind}: layers that were committed materialise to the same tree`, async () => {
    const backend = createBackend(kind);
    let state = await backend.fromLayers([]);
    const blobs: LayerBlob[] = [];
    for (const script of [
      'mkdir -p a/b; echo 1 >a/b/f; ln a/b/f a/b/g',
      'rm a/b/f; echo 2 >a/n; chown 7:8 a',
      'rm -r a/b; mkdir a/b; chmod 700 a/b',
    ]) {
      const { next, layer } = await step(state, (root) => sh(root, script));
      state = next;
      blobs.push(blobOf(layer!));
    }
    const listing = (root: string): string =>
      execFileSync('sh', [
        '-c',
        `cd ${root}; find . -type d -printf '%p d %m %U %G\n' -o -printf '%p %y %m %U %G %s %n\n' | sort`,
      ]).toString();
    const again = await createBackend(kind).fromLayers(blobs);
    assert.equal(
      await again.read(async (root) => listing(root)),
      await state.read(async (root) => listing(root)),
    );
    await backend.dispose();
  });

  test(`${kind}: mount points made for a RUN never enter a layer`, async () => {
    const backend = createBackend(kind);
    const empty = await backend.fromLayers([]);
    const { next } = await step(empty, (root) =>
      sh(root, `mkdir -p bin etc proc dev sys; cp /bin/busybox bin/sh`),
    );
    const resolv = join(scratch, 'resolv.conf');
    writeFileSync(resolv, 'nameserver 127.0.0.1\n');
    const open = await next.begin();
    const result = await open.run({
      argv: ['/bin/sh', '-c', 'cat /etc/resolv.conf && touch /deep/er/cache/x'],
      env: { PATH: '/bin' },
      cwd: '/',
      uid: 0,
      gid: 0,
      groups: [],
      mounts: [
        { type: 'bind', source: resolv, target: '/etc/resolv.conf', readonly: true },
        { type: 'tmpfs', target: '/deep/er/cache' },
      ],
      hostname: 'h',
      network: 'host',
      privileged: false,
      onOutput: () => {},
    });
    assert.equal(result.exitCode, 0);
    assert.equal(await (await open.commit({ compression: 'zstd' })).layer, undefined);
    await backend.dispose();
  });

  for (const [what, script, alone] of ADDED)
    test(`${kind}: on what a step with one time for all files has made, a layer is put that ${what}`, async () => {
      const asked: number[] = [];
      const backend = createBackend(kind, (layers) => asked.push(layers));
      const commit = async (state: RootfsState, text: string) => {
        const open = await state.begin();
        sh(open.root, text);
        const { state: next, layer } = await open.commit({ compression: 'zstd', mtime: 7 });
        return { next, staged: (await layer)! };
      };
      const base = await commit(await createBackend(kind).fromLayers([]), BELOW);
      const fresh = await commit(
        await backend.fromLayers([blobOf(base.staged)]),
        'echo fresh >a/fresh; setfattr -n user.x -v 1 a/x',
      );
      const maker = createBackend(kind);
      const added = await commit(
        await maker.fromLayers([base, fresh].map(({ staged }) => blobOf(staged))),
        script,
      );
      asked.length = 0;
      const layers = [base, fresh, added].map(({ staged }) => blobOf(staged));
      const state = await backend.fromLayers(layers);
      // The root's own time is that of no layer; every step sets it.
      const facts = (root: string) =>
        describeTree(root, syscalls).map((one) => ({ ...one, ...(one.path === '' && { mtime: 0n }) }));
      const found = await state.read(async (root) => facts(root));
      assert.deepEqual(asked, [alone ? 1 : 3]);
      const united = await (await createBackend(kind).fromLayers(layers)).read(async (root) => facts(root));
      assert.deepEqual(found, united);
      // The next step sees nothing as its own change that is none.
      const last = await commit(state, 'echo last >last');
      assert.deepEqual(paths(await entriesOf(last.staged)), ['last']);
    });

  for (const [what, scripts, expected, read] of AS_THEY_WERE)
    test(`${kind}: of a base that is one stream, ${what}`, async (t) => {
      const dir = tempDir(t);
      const files = [...'fgh'].map((name) => fileOf(`d/${name}`, name.repeat(100)));
      const large = fileOf('d/large', 'x'.repeat(2 << 20));
      const layer = await layerOf(dir, [entryOf('dir', 'd'), ...files, large], 'gzip');
      let opened = 0;
      const open = (): ReturnType<typeof layer.open> => {
        opened += 1;
        return layer.open();
      };
      const backend = createBackend(kind);
      let state = await backend.fromLayers([{ ...layer, open }]);
      const found: string[][] = [];
      for (const script of scripts) {
        const made = await step(state, (root) => sh(root, script));
        found.push(made.layer ? paths(await entriesOf(made.layer)) : []);
        state = made.next;
      }
      assert.deepEqual(found, expected);
      if (kind === 'copies') assert.equal(opened, read, 'times that the base was read');
      await backend.dispose();
    });

  test(`${kind}: steps on one state do not see each other, nor does who reads it`, async () => {
    const backend = createBackend(kind);
    const { next } = await step(await backend.fromLayers([]), (root) => sh(root, 'echo base >f'));
    const read = (state: RootfsState) => state.read(async (root) => readFileSync(join(root, 'f'), 'utf8'));
    const results = await next.read(async (root) => {
      const thrown = await next.beginThrowaway();
      writeFileSync(join(thrown.root, 'f'), 'thrown away');
      const made = await Promise.all(
        ['one', 'two'].map(
          async (text) => (await step(next, (at) => writeFileSync(join(at, 'f'), text))).next,
        ),
      );
      await thrown.abandon();
      assert.equal(readFileSync(join(root, 'f'), 'utf8'), 'base\n');
      return made;
    });
    assert.deepEqual(await Promise.all([next, ...results].map(read)), ['base\n', 'one', 'two']);
    await backend.dispose();
  });
}

function blobOf(layer: StagedLayer): LayerBlob {
  const bytes = readFileSync(layer.file);
  const { file, tarSize, entryCount, ...facts } = layer;
  return {
    ...facts,
    from: file,
    open: async () => createReadStream(file),
    readRange: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}
