import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../core/digest.ts';
import {
  counts,
  fieldsOfTables,
  fixed,
  ignored,
  type KeySamples,
  object,
  type Sampled,
  wrongPairs,
} from '../core/key-samples.ts';
import { keyFields } from '../core/key-table.ts';
import type { PathFacts } from '../sys/path-facts.ts';
import { parseChmod } from './chmod.ts';
import { ITEM_TABLES, type TreeHashOptions, treeHash } from './tree-hash.ts';
import type { CopyItem, TreeNode, TreeNodeType } from './types.ts';

const number = counts(1, 2, 0);
const noNumber = ignored(1, 2, 0);
const noText = ignored('', 'a');
const noXattrs = ignored<TreeNode['xattrs']>(undefined, new Map([['user.a', Buffer.from('1')]]));
const noVersion = ignored<PathFacts | undefined>(undefined, Uint32Array.of(1));
const mode = counts(0o644, 0o755, 0o4755, 0o1644);

function node(type: TreeNodeType, more: Partial<KeySamples<TreeNode>>): Sampled<TreeNode> {
  return object<TreeNode>({
    path: ignored('a', 'b'),
    type: fixed<TreeNodeType>(type),
    mode,
    uid: number,
    gid: number,
    size: noNumber,
    mtime: noNumber,
    mtimeNsec: noNumber,
    linkname: noText,
    devmajor: noNumber,
    devminor: noNumber,
    xattrs: counts<TreeNode['xattrs']>(
      undefined,
      new Map([['user.a', Buffer.from('1')]]),
      new Map([['user.a', Buffer.from('2')]]),
      new Map([['user.b', Buffer.from('1')]]),
    ),
    // Names of one file count; how the file is called does not.
    hardlink: counts<string | undefined>(undefined, 'other'),
    version: noVersion,
    ...more,
  });
}

const device = { devmajor: number, devminor: number };
// A directory has one name.
const noHardlink = fixed<string | undefined>(undefined);
/** The content of a file is its version's first word. */
const version = (content: number, touched = 0): PathFacts => Uint32Array.of(content, touched);

const NODES: Readonly<Record<TreeNodeType | 'top', Sampled<TreeNode>>> = {
  file: node('file', {
    size: number,
    version: {
      first: version(1),
      pairs: [
        ...counts<PathFacts | undefined>(version(1), version(2), version(0)).pairs,
        ...ignored<PathFacts | undefined>(version(1), version(1, 1)).pairs,
      ],
    },
  }),
  dir: node('dir', { hardlink: noHardlink }),
  symlink: node('symlink', { linkname: counts('a', 'b', ''), mode: noNumber, xattrs: noXattrs }),
  char: node('char', device),
  block: node('block', device),
  fifo: node('fifo', {}),
  top: node('dir', {
    mode: ignored(0o755, 0o700, 0o2755),
    uid: noNumber,
    gid: noNumber,
    xattrs: noXattrs,
    hardlink: noHardlink,
  }),
};

const KINDS = Object.keys(NODES) as (keyof typeof NODES)[];
const ITEMS = KINDS.map(
  (kind) =>
    [
      kind,
      object<CopyItem>({
        node: NODES[kind],
        target: kind === 'top' ? fixed('') : counts('a', 'b', 'a/b'),
        source: counts(0, 1, 2),
      }),
    ] as const,
);

/** The hash of an item beside another one of its type, of another source. */
async function hashOf(item: CopyItem, more: Partial<TreeHashOptions> = {}): Promise<Digest> {
  const other = { node: { ...NODES[item.node.type].first, hardlink: 'other' }, target: 'z', source: 3 };
  return treeHash([item, other], {
    ownership: true,
    destination: '/x',
    tree: { contentDigest: async ({ version: of }) => digestOf(String(of![0])) },
    ...more,
  });
}

/** Kinds whose items do not say what they are and where they go, though other fields may tell. */
function unnamedKinds(): string[] {
  const context = { ownership: true, chmod: undefined, inOrder: true, content: undefined, group: undefined };
  return ITEMS.flatMap(([kind, { first }]) => {
    const { type, target } = keyFields(ITEM_TABLES[kind], first, context);
    return type === first.node.type && target === first.target ? [] : [`${kind} does not say what it is`];
  });
}

async function wrongItems(most?: number): Promise<string[]> {
  const wrong = unnamedKinds();
  for (const [kind, { pairs }] of ITEMS) {
    if (most !== undefined && wrong.length >= most) break;
    for (const each of await wrongPairs(pairs, hashOf, most)) wrong.push(`${kind}: ${each}`);
  }
  return wrong;
}

test('every field of a file, directory, link or device changes the hash, or is said not to', async () => {
  assert.deepEqual(await wrongItems(), []);
});

test('no field of any table can be left out unnoticed', async () => {
  const unnoticed: string[] = [];
  for (const field of fieldsOfTables(ITEM_TABLES)) {
    if ((await field.without(() => wrongItems(1))).length === 0) unnoticed.push(field.name);
  }
  assert.deepEqual(unnoticed, []);
});

test('owners count only where they are kept, modes only as --chmod leaves them', async () => {
  for (const [kind, { first: item }] of ITEMS) {
    const { node: of } = item;
    const with_ = (change: Partial<TreeNode>): CopyItem => ({ ...item, node: { ...of, ...change } });
    const given = { ownership: false, chmod: parseChmod('755') };
    const same = [{}, { uid: 7 }, { gid: 7 }, { mode: 0o600 }].map((change) => hashOf(with_(change), given));
    assert.equal(new Set(await Promise.all(same)).size, 1, kind);
    const added = { chmod: parseChmod('g+w') };
    const [before, after, other] = await Promise.all(
      [0o644, 0o664, 0o600].map((changed) => hashOf(with_({ mode: changed }), added)),
    );
    assert.equal(before, after, kind);
    if (kind !== 'top' && kind !== 'symlink') assert.notEqual(before, other, kind);
  }
});

test('a directory that is named itself still counts: an empty one makes its destination', async () => {
  const of = { node: NODES.top.first, target: '', source: 0 };
  const options = { ownership: false, tree: { contentDigest: async () => digestOf('') } };
  assert.notEqual(await treeHash([of], options), await treeHash([], options));
});
