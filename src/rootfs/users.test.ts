import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { lookupChown, lookupUser } from './users.ts';

/** What Docker 28 makes of a line in /etc/passwd whose ids are these. */
const IDS: readonly (readonly [text: string, id: number])[] = [
  ['7', 7],
  ['', 0],
  ['seven', 0],
  ['7\0', 0],
  ['7.5', 0],
  ['0x7', 0],
  ['1e3', 0],
  ['+7', 7],
  ['-5', 4294967291],
  ['-1', 0],
  ['4294967296', 0],
  ['4294967303', 7],
  ['99999999999', 1215752191],
  ['9'.repeat(400), 0],
];

test('ids that are no ids are taken as Docker takes them, and always as something that a file can have', (t) => {
  for (const [text, id] of IDS) {
    const root = tempDir(t);
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/passwd'), `who:x:${text}:${text}::/:/bin/sh\n`);
    writeFileSync(join(root, 'etc/group'), `who:x:${text}:\nother:x:${text}:who\n`);
    assert.deepEqual(lookupChown(root, 'who:who'), { uid: id, gid: id }, text);
    assert.deepEqual(lookupUser(root, 'who'), { uid: id, gid: id, groups: [id] }, text);
  }
});
