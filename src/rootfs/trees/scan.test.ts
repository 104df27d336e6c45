import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silent } from '../../core/events.ts';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import { readLayer } from '../../layer/read-layer.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { createRunner } from '../../sys/run.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { extractLayers } from '../extract/extract.ts';
import { fileBlob } from '../extract/testing.ts';
import { createOverlayBackend } from '../overlay/backend.ts';
import type { TreeXattrs } from '../snapshot/entry.ts';
import { settleTimes } from '../snapshot/settle-times.ts';
import { writeSnapshot } from '../snapshot/write.ts';
import { previousContent } from './previous.ts';
import { scanTable } from './scan.ts';
import { readTable, readTimes, waitForTick } from './table.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-scan-'));
const syscalls = createSyscalls();
let count = 0;
after(() => rmSync(scratch, { recursive: true, force: true }));

function sh(root: string, script: string): void {
  execFileSync('bash', ['-euc', `cd ${root}\n${script}`], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
}

function freshDir(name: string): string {
  count += 1;
  const dir = join(scratch, `${name}${count}`);
  mkdirSync(dir);
  return dir;
}

/** Entries of a layer file, one line each, and the times that are in the past. */
async function linesOf(file: string, mediaType: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { entry, content } of readLayer(createReadStream(file), mediaType, 'layer')) {
    let text = '';
    for await (const chunk of content) text += chunk.toString('latin1');
    const { type, path, mode, uid, gid, mtime, linkname, size, xattrs } = entry;
    const time = mtime < 1_700_000_000 ? mtime : 'new';
    const more = [...(xattrs ?? [])].map(([name, value]) => `${name}=${value.toString('hex')}`);
    lines.push(
      [type, path, mode.toString(8), uid, gid, time, linkname, size, text.slice(0, 50), ...more].join(' '),
    );
  }
  return lines;
}

/** What every script changes, as a step in place on top of those before it. */
async function inPlace(
  scripts: readonly string[],
  compression: 'zstd' | 'gzip' = 'zstd',
  mtime?: number,
): Promise<string[][]> {
  const root = freshDir('r');
  const layers: LayerBlob[] = [];
  let xattrs: TreeXattrs = new Map();
  let before = readTable(syscalls, root);
  const found: string[][] = [];
  for (const script of scripts) {
    waitForTick(join(scratch, 'tick'));
    sh(root, script);
    const table = readTable(syscalls, root, before);
    const previous = (wanted: ReadonlyMap<string, number>) => previousContent(layers, wanted);
    const snapshot = await scanTable(before, table, { syscalls, root, xattrs, mtime, previous });
    if (mtime !== undefined) readTimes(table, root, settleTimes(snapshot, { syscalls, mtime }));
    ({ xattrs } = snapshot);
    before = table;
    if (snapshot.entries.count === 0) {
      found.push([]);
      continue;
    }
    count += 1;
    const writer = createFileLayerWriter(join(scratch, `l${count}`), { compression });
    const staged = await writeSnapshot(snapshot, writer, syscalls);
    const { mediaType, digest, size, diffId, toc } = staged;
    layers.push({ mediaType, digest, size, diffId, ...(toc ? { toc } : {}), ...fileBlob(staged.file) });
    found.push(await linesOf(staged.file, staged.mediaType));
  }
  return found;
}

/** The same with overlay mounts. */
async function overlaid(scripts: readonly string[], mtime?: number): Promise<string[][]> {
  const backend = createOverlayBackend({
    workDir: freshDir('o'),
    syscalls,
    runner: createRunner(createSyscalls()),
    extract: (request) => extractLayers(request, { sys: syscalls }),
    createLayerWriter: (file, compression) => createFileLayerWriter(file, { compression }),
    emit: silent,
    signal: new AbortController().signal,
  });
  try {
    let state = await backend.fromLayers([]);
    const found: string[][] = [];
    for (const script of scripts) {
      const open = await state.begin();
      sh(open.root, script);
      const { state: next, layer } = await open.commit({
        compression: 'zstd',
        ...(mtime === undefined ? {} : { mtime }),
      });
      const staged = await layer;
      found.push(staged ? await linesOf(staged.file, staged.mediaType) : []);
      state = next;
    }
    return found;
  } finally {
    await backend.dispose();
  }
}

const OLD = 'touch -h -d @1600000000.5';
const cases: Readonly<Record<string, readonly string[]>> = {
  'new files, deletions and empty steps': [
    'mkdir -p d/e; echo x >d/e/f; echo y >g; ln -s g s; mkfifo p',
    'rm -r d/e g',
    'true',
    'mkdir d/e',
  ],
  'a directory made anew hides what it had': ['mkdir d; echo x >d/old', 'rm -r d; mkdir d; echo y >d/new'],
  'a directory made anew with a child moved back': [
    'mkdir -p d/sub; echo x >d/sub/f',
    'mv d/sub t; rmdir d; mkdir d; mv t d/sub',
  ],
  'a renamed directory is whole under its new name': ['mkdir -p a/b; echo x >a/b/f', 'mv a z'],
  'swapped directories': ['mkdir a b; echo 1 >a/f; echo 2 >b/f', 'mv a t; mv b a; mv t b'],
  'swapped files of one size and time': [`echo 1 >a; echo 2 >b; ${OLD} a b`, 'mv a t; mv b a; mv t b'],
  'an edit of the same size whose time is set back': [
    `echo 1 >a; ${OLD} a; echo 2 >b; ${OLD} b`,
    `echo 3 >a; ${OLD} a; touch b; ${OLD} b`,
  ],
  'a file written anew with what it had': [`echo 1 >a; ${OLD} a`, `rm a; echo 1 >a; ${OLD} a`],
  'chmod and chown to what was there already': [
    `mkdir d; echo 1 >d/a; ln -s a d/s; chown 7:8 d/a; chmod 4755 d/a; ${OLD} d/a d/s`,
    'chmod 4755 d/a; chmod 755 d',
    'chmod 700 d; chmod 4711 d/a',
  ],
  'only a time is new': [`mkdir d; echo 1 >d/a; ${OLD} d/a`, 'touch d/a', 'touch d'],
  'types change either way': [
    'mkdir d; echo x >d/f; echo f >e; ln -s e l',
    'rm -r d; echo file >d; rm e; mkdir e; rm l; echo z >l',
    'rm d; mkdir d; echo y >d/g',
  ],
  'a link to another place of the same length': ['ln -s aa l', 'rm l; ln -s bb l', 'rm l; ln -s bb l'],
  'hard links': ['echo x >a; echo y >c; ln c d', 'ln a b', 'rm a', 'rm d; echo z >c'],
  'a file that only lost a name': ['echo x >a; ln a b; ln a c', 'rm c'],
  'extended attributes': [
    `echo x >f; mkdir d; setfattr -n user.a -v 1 f; setfattr -n user.d -v 1 d; ${OLD} f`,
    `setfattr -n user.a -v 2 f; ${OLD} f`,
    'setfattr -x user.a f',
    'setfattr -x user.d d',
    'setfattr -n user.x -v 1 d; setfattr -x user.x d; setfattr -n user.y -v 1 f; setfattr -x user.y f',
  ],
  'sockets are not there': [
    `python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('s')"; mkdir d; mv s d/s`,
    'rm d/s',
  ],
  'sparse files': [
    'truncate -s 3M f; printf x | dd of=f bs=1 seek=2000000 conv=notrunc status=none',
    'truncate -s 4M f',
  ],
  'names that are not UTF-8': [
    `echo x >$'\\xff\\xfe'; mkdir $'\\xe9'; echo y >$'\\xe9/ä'`,
    `rm $'\\xff\\xfe' $'\\xe9/ä'`,
  ],
};

for (const [name, scripts] of Object.entries(cases)) {
  test(`in place as in an overlay: ${name}`, async () => {
    assert.deepEqual(await inPlace(scripts), await overlaid(scripts));
  });
}

for (const [name, scripts] of Object.entries(cases)) {
  test(`in place as in an overlay, with one time for all: ${name}`, async () => {
    const layers = await inPlace(scripts, 'zstd', 1000);
    assert.deepEqual(layers, await overlaid(scripts, 1000));
    for (const line of layers.flat())
      if (!/\.wh\./.test(line)) assert.match(line, /^\S+ .+ [0-7]+ \d+ \d+ 1000 /);
  });
}

test('with one time for all, what a file holds decides whether it is in a layer, and never when it was written', async () => {
  const scripts = [
    'mkdir d; echo 1 >d/a; echo 1 >d/b; ln -s a d/s',
    // Anew, with the same: as if nothing had been done.
    'echo 1 >d/a; rm d/b; echo 1 >d/b; ln -sfn a d/s; touch d',
    'echo 2 >d/a; touch -d @1000 d/a',
  ];
  for (const layers of [await inPlace(scripts, 'zstd', 1000), await overlaid(scripts, 1000)]) {
    assert.deepEqual(layers[1], []);
    assert.deepEqual(
      layers[2]!.map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['dir d', 'file d/a'],
    );
    assert.ok(layers.flat().every((line) => line.split(' ')[5] === '1000'));
  }
});

test('content of layers without a table of contents is compared too', async () => {
  const scripts = cases['an edit of the same size whose time is set back']!;
  const [, second] = await inPlace(scripts, 'gzip');
  assert.equal(second!.length, 1);
  assert.match(second![0]!, /^file a /);
});

test('a write through one of several names is in the layer under all of them, still linked', async () => {
  const [, second] = await inPlace(['echo 1 >a; ln a b; echo 1 >c', 'echo 2 >>b']);
  assert.deepEqual(
    second!.map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['file a', 'hardlink b'],
  );
});
