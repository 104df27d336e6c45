import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { EntryType, LayerEntry } from '../../tar/types.ts';
import { createUnion } from './union.ts';
import { planUnion } from './union-plan.ts';

const ENTRIES = 1_000_000;
const MOST_BYTES = 190;
const TYPES: readonly EntryType[] = ['file', 'dir', 'symlink', 'hardlink', 'fifo'];

/** A million entries of each kind, most of them in directories of a thousand. */
function* entries(): Generator<LayerEntry> {
  for (let i = 0; i < ENTRIES; i += 1) {
    const type = TYPES[i % TYPES.length]!;
    const linkname = type === 'symlink' ? `../some/target-${i}` : type === 'hardlink' ? 'd0/name-0' : '';
    const path = `d${Math.floor(i / 1000)}/name-${i}`;
    const xattrs =
      i % 10 === 0 ? new Map([['security.selinux', Buffer.from('system_u:object_r')]]) : undefined;
    yield {
      ...{ path, type, mode: 0o644, uid: i, gid: 0, size: 0, mtime: i, mtimeNsec: i, linkname },
      ...{ devmajor: 0, devminor: 0, ...(xattrs ? { xattrs } : {}) },
    };
  }
}

/** The most memory that this process ever had, in bytes. */
const peak = (): number =>
  Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) * 1024;

test('a million entries of a stream take little memory each', (t) => {
  const before = peak();
  const union = createUnion();
  union.beginLayer();
  for (const entry of entries()) union.apply(entry);
  union.endLayer();
  const plan = planUnion(union.tree, 1);
  const each = (peak() - before) / ENTRIES;
  t.diagnostic(`${Math.round(each)} bytes for each entry`);
  assert.ok(each < MOST_BYTES, `${each} bytes for each entry`);
  // What is packed is what it was.
  const { tree } = union;
  assert.equal(plan.leaves.length + plan.dirs.length, ENTRIES + 1000 + 1);
  for (const node of [...plan.leaves, ...plan.dirs]) {
    const facts = tree.isDir(node) ? tree.meta(node) : tree.entry(node);
    if (!facts || facts.type === 'file') continue;
    const number = Number(tree.name(node).slice('name-'.length));
    assert.equal(facts.mtime, number);
    assert.equal(facts.mtimeNsec, number);
    assert.equal(facts.uid, number);
    if (facts.type === 'symlink') assert.equal(facts.linkname, `../some/target-${number}`);
    assert.equal(facts.xattrs?.size, number % 10 === 0 ? 1 : undefined);
  }
});
