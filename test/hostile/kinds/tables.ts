import { encodeHeader } from '../../../src/tar/header.ts';
import type { EntryType } from '../../../src/tar/types.ts';
import { sha256 } from '../registry.ts';
import { tarOf } from '../tar-bytes.ts';
import { base64, type OwnLayerOptions, type Row, type Table } from '../toc.ts';
import type { Kind, Must } from '../types.ts';

/** A tar with the options by which its layer is made. */
export interface TableInput {
  readonly tar: Buffer;
  readonly options: OwnLayerOptions;
  /** Changes where the record says that the table stands. */
  readonly position?: (toc: { offset: number; length: number; digest: string }) => Record<string, unknown>;
}

const entry = (path: string, type: EntryType, content = '', linkname = ''): Buffer => {
  const bytes = Buffer.from(content);
  const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000, mtimeNsec: 0, devmajor: 0, devminor: 0 };
  const head = encodeHeader({ path, type, size: bytes.length, linkname, ...plain });
  return Buffer.concat([head, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
};
/** A tar as our writer makes it: a table over any other is refused for that alone. */
const honest = tarOf([
  entry('d', 'dir'),
  entry('d/one', 'file', 'first content\n'),
  entry('d/two', 'file', 'second content\n'),
  entry('d/link', 'symlink', '', 'one'),
  entry('d/again', 'hardlink', '', 'd/one'),
  entry('big', 'file', 'b'.repeat(9000)),
]);
/** Rows of the tar above, by position. */
const [DIR, ONE, TWO, LINK, HARD, BIG] = [0, 1, 2, 3, 4, 5] as const;
/** Fields of a row. */
const [PATH, TYPE, MODE, UID, GID, SIZE, MTIME, NSEC, TARGET, MAJOR, MINOR, OFFSET, XATTRS] = Array.from(
  { length: 13 },
  (_, i) => i,
) as unknown as readonly [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

function table(
  name: string,
  must: Must,
  edit: (table: Table, canary: string) => unknown,
  tar = honest,
): Kind<TableInput> {
  return {
    name,
    must,
    make: ({ canary }) => ({ tar, options: { edit: (written) => edit(written, canary) } }),
  };
}

function field(
  name: string,
  must: Must,
  row: number,
  at: number,
  value: unknown | ((canary: string) => unknown),
): Kind<TableInput> {
  return table(name, must, ({ entries }, canary) => {
    entries[row]![at] = typeof value === 'function' ? value(canary) : value;
  });
}

function framed(name: string, at: number, value: unknown): Kind<TableInput> {
  return table(name, 'refuse', ({ frames }) => {
    frames[0]![at] = value;
  });
}

const extra =
  (row: Row) =>
  (written: Table): void =>
    void written.entries.push(row);
const rowOf = (path: string, type: number, more: Readonly<Record<number, unknown>> = {}): Row =>
  Object.assign([path, type, 0o644, 0, 0, 0, 1, 0, '', 0, 0, 0] as unknown[], more);

/** A table that says what its tar does not, and tables that say what no table may. */
export const tables: readonly Kind<TableInput>[] = [
  table('honest', 'build', () => {}),
  // What stands in the table and in the tar, differently.
  field('differs-path', 'refuse', ONE, PATH, 'd/else'),
  field('differs-mode', 'refuse', ONE, MODE, 0o4755),
  field('differs-uid', 'refuse', ONE, UID, 1000),
  field('differs-gid', 'refuse', ONE, GID, 1000),
  field('differs-mtime', 'refuse', ONE, MTIME, 1),
  field('differs-type-dir', 'refuse', TWO, TYPE, 1),
  field('differs-type-link', 'refuse', DIR, TYPE, 2),
  field('differs-type-fifo', 'refuse', TWO, TYPE, 6),
  field('differs-size-less', 'refuse', ONE, SIZE, 5),
  field('differs-size-more', 'refuse', ONE, SIZE, 100),
  field('differs-size-zero', 'refuse', ONE, SIZE, 0),
  field('differs-target', 'refuse', LINK, TARGET, (canary: string) => canary),
  field('differs-hard', 'refuse', HARD, TARGET, 'd/two'),
  field('differs-xattr', 'refuse', ONE, XATTRS, [['security.capability', 'AQAAAgAAAAAAAAAAAAAAAAAAAAA=']]),
  // As the first version of tables had it: a claim that nobody would compare.
  field('further-digest', 'refuse', ONE, XATTRS, base64(sha256(Buffer.from('other')))),
  table('further-field', 'refuse', ({ entries }) => void entries[ONE]!.push([['user.x', 'dg==']], 'more')),
  table('differs-content', 'refuse', ({ entries }) => {
    // One names the content of two.
    for (const at of [OFFSET, SIZE]) entries[ONE]![at] = entries[TWO]![at];
  }),
  table('differs-content-in-header', 'refuse', ({ entries }) => {
    Object.assign(entries[ONE]!, { [OFFSET]: 0, [SIZE]: 14 });
  }),
  table('differs-order', 'refuse', ({ entries }) => void entries.reverse()),
  table('missing-row', 'refuse', ({ entries }) => void entries.splice(ONE, 1)),
  table('missing-rows', 'refuse', ({ entries }) => void entries.splice(0)),
  table('further-file', 'refuse', extra(rowOf('evil', 0))),
  table('further-setuid', 'refuse', extra(rowOf('evil', 0, { [MODE]: 0o4755 }))),
  table('further-dir', 'refuse', extra(rowOf('evil', 1))),
  table('further-link', 'refuse', (written, canary) =>
    extra(rowOf('evil', 2, { [TARGET]: canary }))(written),
  ),
  table('further-device', 'refuse', extra(rowOf('evil', 5, { [MAJOR]: 8 }))),
  table('further-whiteout', 'refuse', extra(rowOf('d/.wh.one', 0))),
  table('further-through-link', 'refuse', ({ entries }, canary) => {
    entries.push(rowOf('l', 2, { [TARGET]: canary }), rowOf('l/new', 0));
  }),
  table('further-hard-out', 'refuse', ({ entries }, canary) => {
    entries.push(rowOf('l', 2, { [TARGET]: canary }), rowOf('h', 3, { [TARGET]: 'l/secret' }));
  }),
  table('twice-row', 'refuse', ({ entries }) => void entries.push([...entries[ONE]!])),
  // Rows that nothing can mean.
  field('path-up', 'refuse', ONE, PATH, '../escape'),
  field('path-absolute', 'refuse', ONE, PATH, (canary: string) => `${canary}/new`),
  field('path-nul', 'refuse', ONE, PATH, 'a\0b'),
  field('path-empty', 'refuse', ONE, PATH, ''),
  field('path-dot', 'refuse', ONE, PATH, './d/./one'),
  field('path-slashes', 'refuse', ONE, PATH, 'd//one'),
  field('path-number', 'refuse', ONE, PATH, 5),
  field('path-null', 'refuse', ONE, PATH, null),
  field('path-object', 'refuse', ONE, PATH, { toString: 'x' }),
  field('path-256', 'refuse', ONE, PATH, 'n'.repeat(256)),
  field('path-5000', 'refuse', ONE, PATH, 'd/'.repeat(2500)),
  field('path-8-million', 'refuse', ONE, PATH, 'd/'.repeat(4_000_000)),
  field('path-surrogate', 'refuse', ONE, PATH, 'a\ud800'),
  field('type-unknown', 'refuse', ONE, TYPE, 99),
  field('type-negative', 'refuse', ONE, TYPE, -1),
  field('type-text', 'refuse', ONE, TYPE, 'length'),
  field('mode-negative', 'refuse', ONE, MODE, -1),
  field('mode-huge', 'refuse', ONE, MODE, 2 ** 40),
  field('mode-fraction', 'refuse', ONE, MODE, 0.5),
  field('mode-text', 'refuse', ONE, MODE, '0644'),
  field('uid-negative', 'refuse', ONE, UID, -1),
  field('uid-33-bits', 'refuse', ONE, UID, 2 ** 32),
  field('gid-huge', 'refuse', ONE, GID, 2 ** 52),
  field('size-negative', 'refuse', ONE, SIZE, -1),
  field('size-huge', 'refuse', ONE, SIZE, 2 ** 52),
  field('size-on-link', 'refuse', LINK, SIZE, 100),
  field('mtime-huge', 'refuse', ONE, MTIME, 2 ** 52),
  field('nsec-huge', 'refuse', ONE, NSEC, 2 ** 40),
  field('nsec-negative', 'refuse', ONE, NSEC, -5),
  field('target-nul', 'refuse', LINK, TARGET, 'a\0b'),
  field('target-empty', 'refuse', LINK, TARGET, ''),
  field('target-5000', 'refuse', LINK, TARGET, 'x'.repeat(5000)),
  field('target-number', 'refuse', LINK, TARGET, 7),
  field('hard-missing', 'refuse', HARD, TARGET, 'nothing'),
  field('hard-up', 'refuse', HARD, TARGET, '../../x'),
  field('hard-self', 'refuse', HARD, TARGET, 'd/again'),
  field('device-huge', 'refuse', ONE, MAJOR, 2 ** 40),
  field('device-negative', 'refuse', ONE, MINOR, -1),
  field('offset-negative', 'refuse', ONE, OFFSET, -1),
  field('offset-beyond', 'refuse', ONE, OFFSET, 10_000_000),
  field('offset-huge', 'refuse', BIG, OFFSET, 2 ** 52),
  field('xattrs-text', 'refuse', ONE, XATTRS, 'user.x'),
  field('xattrs-odd', 'refuse', ONE, XATTRS, [['user.x']]),
  field('xattrs-null', 'refuse', ONE, XATTRS, [[null, null]]),
  field('xattrs-nul', 'refuse', ONE, XATTRS, [['user.\0', 'dg==']]),
  field('xattrs-overlay', 'refuse', DIR, XATTRS, [['trusted.overlay.redirect', 'L2V0Yw==']]),
  field('xattrs-large', 'refuse', ONE, XATTRS, [['user.x', Buffer.alloc(100_000).toString('base64')]]),
  table('row-short', 'refuse', ({ entries }) => void (entries[ONE] = ['d/one', 0])),
  table('row-null', 'refuse', ({ entries }) => void ((entries as unknown[])[ONE] = null)),
  table('row-object', 'refuse', ({ entries }) => void ((entries as unknown[])[ONE] = { 0: 'd/one' })),
  table('row-nested', 'refuse', ({ entries }) => void ((entries as unknown[])[ONE] = 'd/one')),
  table('rows-object', 'refuse', ({ frames }) => ({ frames, entries: {} })),
  table('rows-missing', 'refuse', ({ frames }) => ({ frames })),
  table('rows-null', 'refuse', () => null),
  table('rows-number', 'refuse', () => 5),
  table('rows-text', 'refuse', () => Buffer.from('no json')),
  table('rows-empty', 'refuse', () => Buffer.alloc(0)),
  table('rows-deep', 'refuse', () => Buffer.from('['.repeat(200_000))),
  table('rows-proto', 'refuse', () => Buffer.from('{"__proto__":{"frames":[]},"entries":[]}')),
  table('rows-300000', 'refuse', ({ frames }) => ({
    frames,
    entries: Array.from({ length: 300_000 }, () => rowOf('same', 0)),
  })),
  // Frames.
  framed('frame-offset-negative', 0, -1),
  framed('frame-offset-beyond', 0, 10_000_000),
  framed('frame-length-huge', 1, 2 ** 50),
  framed('frame-length-zero', 1, 0),
  framed('frame-length-less', 1, 10),
  framed('frame-tar-offset', 2, 512),
  framed('frame-tar-length-huge', 3, 2 ** 50),
  framed('frame-tar-length-large', 3, 3_000_000_000),
  framed('frame-tar-length-less', 3, 10),
  framed('frame-tar-length-zero', 3, 0),
  framed('frame-digest', 4, base64(sha256(Buffer.from('x')))),
  framed('frame-digest-short', 4, 'YQ'),
  framed('frame-text', 0, '0'),
  table('frame-none', 'refuse', (written) => void written.frames.splice(0)),
  table('frame-null', 'refuse', (written) => void ((written.frames as unknown[])[0] = null)),
  table('frame-twice', 'refuse', (written) => void written.frames.push([...written.frames[0]!])),
  table(
    'frame-overlap',
    'refuse',
    (written) =>
      void written.frames.push([...written.frames[0]!.slice(0, 2), 100, 20, written.frames[0]![4]]),
  ),
  table('frame-200000', 'refuse', ({ frames, entries }) => ({
    frames: Array.from({ length: 200_000 }, () => frames[0]),
    entries,
  })),
  packed('packed-garbage', () => Buffer.from('garbage')),
  packed('packed-cut', (bytes) => bytes.subarray(0, -4)),
  packed('packed-empty', () => Buffer.alloc(0)),
  at('position-beyond', { offset: 50_000_000 }),
  at('position-negative', { offset: -8 }),
  at('position-text', { offset: '0' }),
  at('position-in-frame', { offset: 0 }),
  at('position-length-huge', { length: 2 ** 50 }),
  at('position-length-1-gb', { length: 1_000_000_000 }),
  at('position-length-zero', { length: 0 }),
  at('position-digest', { digest: sha256(Buffer.from('x')) }),
];

function packed(name: string, editBytes: (bytes: Buffer) => Buffer): Kind<TableInput> {
  return { name, must: 'refuse', make: () => ({ tar: honest, options: { editBytes } }) };
}

function at(name: string, change: Readonly<Record<string, unknown>>): Kind<TableInput> {
  return {
    name,
    must: 'refuse',
    make: () => ({ tar: honest, options: {}, position: (toc) => ({ ...toc, ...change }) }),
  };
}
