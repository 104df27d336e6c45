import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

/** Files of a context, and what each may cost while it is listed, hashed and remembered: some 190 bytes, and over a kilobyte as objects. */
const FILES = 150_000;
const MOST_BYTES = 400;

/** A process of its own: this one has had more memory. No file is there, only what would be told of it. */
const READER = `
  import { readFileSync } from 'node:fs';
  import { digestOf } from '${import.meta.dirname}/../core/digest.ts';
  import { FACT, FACT_WORDS, setTime } from '${import.meta.dirname}/../sys/path-facts.ts';
  import { S_IF } from '${import.meta.dirname}/../sys/constants.ts';
  import { placeNodes } from '${import.meta.dirname}/copy-items.ts';
  import { createHashMemo } from '${import.meta.dirname}/file-hash-memo.ts';
  import { createNodeList } from '${import.meta.dirname}/node-list.ts';
  import { treeHash } from '${import.meta.dirname}/tree-hash.ts';
  import { createNodeMaker } from '${import.meta.dirname}/tree-node.ts';
  const peak = () => Number(/^VmHWM:\\s*(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
  const run = async (count) => {
    const memo = createHashMemo(undefined, () => 10_000_000_000n);
    const nodes = createNodeList(createNodeMaker({ root: '/none', memo }).make);
    for (let i = 0; i < count; i += 1) {
      const facts = new Uint32Array(FACT_WORDS);
      facts[FACT.mode] = S_IF.REG | 0o644;
      facts[FACT.nlink] = 1;
      facts[FACT.ino] = i;
      setTime(facts, 'mtime', 1n);
      setTime(facts, 'ctime', 2n);
      nodes.add('d' + String(Math.floor(i / 1000)).padStart(6, '0') + '/name-' + String(i % 1000).padStart(3, '0'), facts, undefined);
    }
    const items = placeNodes(nodes, { source: 0, target: (path) => path });
    const contentDigest = async ({ path, version }) => {
      const digest = digestOf(path);
      memo.set(version, { digest, plain: true });
      return digest;
    };
    await treeHash(items, { ownership: false, tree: { contentDigest, checkRoom: () => {} } });
    for (const { node } of items) if (!memo.get(node.version)) throw new Error(node.path);
    return items.length;
  };
  await run(5000);
  const before = peak();
  const length = await run(${FILES});
  console.log(JSON.stringify({ bytes: peak() - before, length }));`;

test('files of a context take little memory each', (t) => {
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--max-semi-space-size=8',
    '--input-type=module',
    '--eval',
    READER,
  ];
  const { bytes, length } = JSON.parse(execFileSync(process.execPath, args).toString()) as Record<
    'bytes' | 'length',
    number
  >;
  assert.equal(length, FILES);
  const each = bytes / FILES;
  t.diagnostic(`${Math.round(each)} bytes for each file`);
  assert.ok(each < MOST_BYTES, `${each} bytes for each file`);
});
