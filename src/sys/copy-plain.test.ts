import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodePath } from '../core/path-bytes.ts';
import { scratchDir } from '../core/testing.ts';
import { copyPlain } from './copy-plain.ts';

const scratch = fs.realpathSync(scratchDir('copy-plain'));
const bytes = (path: string): Buffer => Buffer.from(join(scratch, path), 'latin1');

/** What a tree holds, by the bytes of its names. */
function facts(path: Buffer): readonly string[] {
  const stat = fs.lstatSync(path);
  const own = `${(stat.mode & 0o7777).toString(8)} ${stat.isSymbolicLink() ? '' : stat.mtimeMs}`;
  if (stat.isSymbolicLink()) return [`${own} -> ${fs.readlinkSync(path, 'latin1')}`];
  if (stat.isFile()) return [`${own} ${fs.readFileSync(path, 'latin1')}`];
  const names = fs.readdirSync(path, 'latin1').sort();
  return [
    own,
    ...names.flatMap((name) =>
      facts(Buffer.concat([path, Buffer.from(`/${name}`, 'latin1')])).map((fact) => `${name}: ${fact}`),
    ),
  ];
}

test('a tree is copied whole, whatever bytes its names are', () => {
  for (const directory of ['tree', 'tree/caf\xe9', 'tree/\xff\xfe', 'tree/empty'])
    fs.mkdirSync(bytes(directory));
  fs.writeFileSync(bytes('tree/caf\xe9/\x80'), 'content');
  fs.writeFileSync(bytes('tree/big\xff'), Buffer.alloc(3 * 1024 * 1024 + 1, 'x'));
  fs.writeFileSync(bytes('tree/run'), '#!', { mode: 0o755 });
  fs.symlinkSync(Buffer.from('gone\xff', 'latin1'), bytes('tree/\xff\xfe/link'));
  fs.symlinkSync('run', bytes('tree/link\xe9'));
  fs.chmodSync(bytes('tree/\xff\xfe'), 0o1750);
  const entries = ['caf\xe9/\x80', 'caf\xe9', 'big\xff', 'run', '\xff\xfe', 'empty', ''];
  for (const path of entries) fs.utimesSync(bytes(`tree/${path}`), 1, 1e9);
  copyPlain(join(scratch, 'tree'), join(scratch, 'copy'));
  assert.deepEqual(facts(bytes('copy')), facts(bytes('tree')));
  copyPlain(decodePath(bytes('tree/caf\xe9')), decodePath(bytes('copy/\xfd')));
  assert.deepEqual(facts(bytes('copy/\xfd')), facts(bytes('tree/caf\xe9')));
});

test('nothing is overwritten, no link is followed, and what cannot be copied is an error', () => {
  fs.mkdirSync(bytes('from'));
  fs.mkdirSync(bytes('to'));
  fs.writeFileSync(bytes('from/file'), 'x');
  assert.throws(() => copyPlain(join(scratch, 'from'), join(scratch, 'to')), { code: 'EEXIST' });
  fs.symlinkSync('to', bytes('link'));
  assert.throws(() => copyPlain(join(scratch, 'from'), join(scratch, 'link/new')), { code: 'ENOTDIR' });
  execFileSync('mkfifo', [join(scratch, 'from/pipe')]);
  assert.throws(() => copyPlain(join(scratch, 'from'), join(scratch, 'new')), { code: 'ENOTREG' });
});
