import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { isThere, markOf } from './process-mark.ts';
import { checkName, createContainerStore, nameOf } from './store.ts';

const record = (name: string) => ({
  ...{ id: 'a'.repeat(64), name, folder: '/f', configFile: '/f/d.json', created: '', scope: {} },
});

test('what is written is found, what is no record is not, and nobody else may look', (t) => {
  const dir = tempDir(t);
  const store = createContainerStore(dir);
  assert.deepEqual(store.list(), []);
  store.write(record('one'));
  store.write(record('two'));
  store.writeDone('one', { postCreateCommand: 'x' });
  writeFileSync(join(store.place('two').directory, 'container.json'), '{"version":1,"name":"three"}');
  assert.deepEqual(
    store.list().map((one) => [one.record.name, one.pid]),
    [['one', undefined]],
  );
  assert.deepEqual(store.done('one'), { postCreateCommand: 'x' });
  assert.deepEqual(store.done('two'), {});
  assert.equal(statSync(store.place('one').directory).mode & 0o777, 0o700);
  const mark = markOf(process.pid)!;
  store.writeProcess('one', mark);
  assert.equal(store.find('one')?.pid, process.pid);
  for (const other of [{ started: '1' }, { boot: 'other' }, { namespace: 'pid:[1]' }, { pid: 2 ** 22 + 1 }]) {
    store.writeProcess('one', { ...mark, ...other });
    assert.equal(store.find('one')?.pid, undefined, JSON.stringify(other));
    assert.equal(isThere({ ...mark, ...other }), false);
  }
});

test('a second lock waits for the first, and says so', async (t) => {
  const store = createContainerStore(tempDir(t));
  const { signal } = new AbortController();
  const said: string[] = [];
  const release = await store.lock('one', signal, () => said.push('first'));
  const second = store.lock('one', signal, () => said.push('second'));
  const other = await store.lock('two', signal, () => said.push('other'));
  other();
  assert.deepEqual(said, ['second']);
  release();
  (await second)();
});

test('the name of a folder is that of a machine, and another one for another file', () => {
  for (const folder of ['/home/me/My App', '/', `/x/${'a'.repeat(200)}`, '/Ünïcode', '/a/-b-'])
    assert.match(checkName(nameOf(folder, '/f')), /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, folder);
  assert.notEqual(nameOf('/a', '/a/one.json'), nameOf('/a', '/a/two.json'));
  assert.notEqual(nameOf('/a/b', '/x'), nameOf('/c/b', '/x'));
  for (const name of ['', '.', '..', 'a/b', '-a', 'a-', 'a'.repeat(64), 'a\n'])
    assert.throws(() => checkName(name), { code: 'USAGE' }, JSON.stringify(name));
});
