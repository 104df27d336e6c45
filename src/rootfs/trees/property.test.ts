import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { silent } from '../../core/events.ts';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { describeTree } from '../describe-tree.ts';
import { extractLayers } from '../extract/extract.ts';
import { fileBlob } from '../extract/testing.ts';
import type { TreeXattrs } from '../snapshot/entry.ts';
import { settleTimes } from '../snapshot/settle-times.ts';
import { writeSnapshot } from '../snapshot/write.ts';
import { previousContent } from './previous.ts';
import { scanTable } from './scan.ts';
import { readTable, readTimes, waitForTick } from './table.ts';
import { apply, change } from './testing.ts';

const syscalls = createSyscalls();
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'inplace-property-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));

/** All but the root's own facts, times among them. */
function describedWhole(root: string): unknown[] {
  return describeTree(root, syscalls).flatMap(({ first, ...rest }) => (rest.path === '' ? [] : [rest]));
}

/** Directories' own times are in no layer when nothing else of them changed; where links are kept, other tests show. */
function described(root: string): unknown[] {
  return describeTree(root, syscalls).flatMap(({ path: at, first, mtime, size, ...rest }) => {
    if (at === '') return [];
    return [rest.type === 'dir' ? { at, ...rest } : { at, ...rest, size, mtime: mtime / 1_000_000_000n }];
  });
}

for (const mtime of [undefined, 1000])
  test(`the layers of steps in place make what the steps made, ${mtime === undefined ? 'with their times' : 'with one time for all'}`, async () => {
    let count = 0;
    const steps = fc.array(fc.array(change, { minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        count += 1;
        const dir = path.join(base, `${mtime}-${count}`);
        const [root, target] = [path.join(dir, 'root'), path.join(dir, 'target')];
        for (const each of [root, target]) fs.mkdirSync(each, { recursive: true });
        const layers: LayerBlob[] = [];
        let xattrs: TreeXattrs = new Map();
        let before = readTable(syscalls, root);
        for (const [i, changes] of all.entries()) {
          waitForTick(path.join(dir, 'tick'));
          for (const each of changes) apply(root, each);
          const table = readTable(syscalls, root, before);
          const snapshot = await scanTable(before, table, {
            syscalls,
            root,
            xattrs,
            mtime,
            previous: (wanted) => previousContent(layers, wanted),
          });
          if (mtime !== undefined) readTimes(table, root, settleTimes(snapshot, { syscalls, mtime }));
          // What was written down of times is what they are.
          assert.equal(readTable(syscalls, root, table), table);
          [before, xattrs] = [table, snapshot.xattrs];
          const writer = createFileLayerWriter(path.join(dir, `layer${i}`), { compression: 'zstd' });
          const { mediaType, digest, size, diffId, toc, file } = await writeSnapshot(
            snapshot,
            writer,
            syscalls,
          );
          layers.push({ mediaType, digest, size, diffId, ...(toc ? { toc } : {}), ...fileBlob(file) });
        }
        await extractLayers({ layers, target, privileged: true, emit: silent }, { sys: syscalls });
        const look = mtime === undefined ? described : describedWhole;
        assert.deepEqual(look(target), look(root));
      }),
      { numRuns: 40 },
    );
  });
