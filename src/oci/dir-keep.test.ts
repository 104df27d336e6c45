import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { bytesSource } from './blob-source.ts';
import { createReachMarks } from './dir-keep.ts';
import { dirLayout } from './dir-layout.ts';
import { createDirectoryLock } from './dir-lock.ts';
import { createDirectoryStore } from './dir-store.ts';

const OLD = new Date('2020-01-01T00:00:00Z');

test('what a manifest reaches is marked once, and again after a collection has begun', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const layout = dirLayout(root, 'a');
  const lock = createDirectoryLock(root);
  const marks = createReachMarks();
  const sources = ['one', 'two'].map((text) => bytesSource(Buffer.from(text)));
  for (const source of sources) await store.put(source);
  const manifest = Buffer.from(sources.map(({ digest }) => digest).join(' '));
  const files = sources.flatMap(({ digest }) => [layout.blob(digest), layout.layerLink(digest)]);
  const age = (): void => {
    for (const file of files) fs.utimesSync(file, OLD, OLD);
  };
  const mark = () => lock.shared((collection) => marks.mark(layout, manifest, collection));
  const old = (): number => files.filter((file) => fs.statSync(file).mtimeMs === OLD.getTime()).length;

  age();
  await mark();
  assert.equal(old(), 0);
  age();
  await mark();
  assert.equal(old(), files.length, 'marked already');
  for (let time = 0; time < 2; time += 1) {
    await lock.beginCollection();
    await mark();
    assert.equal(old(), 0, 'a collection may have looked before it was marked');
    age();
  }
  marks.mark(layout, manifest, undefined);
  assert.equal(old(), 0, 'without a lock nothing tells whether a collection has begun');
});
