import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Event } from '../core/events.ts';
import { findConfigFile } from './discover.ts';
import { warningsOf, withWorkspace } from './testing.ts';

type Options = Omit<Parameters<typeof findConfigFile>[0], 'workspaceFolder'>;

/** What is found among files that all hold an empty object, relative to the workspace. */
async function find(files: readonly string[], options: Options = {}) {
  return withWorkspace(Object.fromEntries(files.map((file) => [file, {}])), (workspaceFolder) => {
    const events: Event[] = [];
    const found = findConfigFile({ workspaceFolder, ...options }, (event) => events.push(event));
    return { found: found?.slice(workspaceFolder.length + 1), warnings: warningsOf(events) };
  });
}

test('places are searched in order', async () => {
  const order = [
    '.devcontainer/devcontainer.json',
    '.devcontainer.json',
    'devcontainer.json',
    '.devcontainer/a/devcontainer.json',
  ];
  for (const [i, file] of order.entries()) {
    assert.deepEqual(await find(order.slice(i)), { found: file, warnings: [] });
  }
  assert.deepEqual(
    await find(['README.md', '.devcontainer/Dockerfile', '.devcontainer/a/b/devcontainer.json']),
    {
      found: undefined,
      warnings: [],
    },
  );
});

test('the folder and the file can be named, relative or absolute', async () => {
  const files = ['.devcontainer/devcontainer.json', 'tools/devcontainer.json', 'tools/other.json'];
  assert.equal((await find(files, { devcontainerDir: 'tools' })).found, 'tools/devcontainer.json');
  assert.equal((await find(files, { devcontainerDir: 'nothing' })).found, '.devcontainer/devcontainer.json');
  const both = { devcontainerDir: 'tools', devcontainerJsonPath: 'other.json' };
  assert.equal((await find(files, both)).found, 'tools/other.json');
  assert.equal(
    (await find(files, { devcontainerJsonPath: '../tools/other.json' })).found,
    'tools/other.json',
  );
  await withWorkspace({ 'x.json': {} }, (workspaceFolder) => {
    const file = join(workspaceFolder, 'x.json');
    const search = { workspaceFolder: '/nowhere', devcontainerJsonPath: file };
    assert.equal(
      findConfigFile(search, () => {}),
      file,
    );
  });
  await assert.rejects(find(files, { devcontainerJsonPath: 'missing.json' }), {
    code: 'DEVCONTAINER',
    message: /there is no dev container file .*\.devcontainer\/missing\.json$/,
  });
});

test('a folder whose name is no UTF-8 stops nothing', async () => {
  const file = '.devcontainer/z/devcontainer.json';
  await withWorkspace({ [file]: {} }, (workspaceFolder) => {
    const odd = (name: string) => Buffer.from(join(workspaceFolder, '.devcontainer', name), 'latin1');
    mkdirSync(odd('caf\xe9'));
    writeFileSync(odd('caf\xe9/devcontainer.json'), '{}');
    writeFileSync(odd('\xff'), '');
    const found = findConfigFile({ workspaceFolder }, () => {});
    assert.equal(found, join(workspaceFolder, file));
  });
});

test('of several configurations the first is taken and the others are named', async () => {
  const files = ['b', 'a', 'c'].map((name) => `.devcontainer/${name}/devcontainer.json`);
  const { found, warnings } = await find(files);
  assert.equal(found, '.devcontainer/a/devcontainer.json');
  assert.match(warnings[0]!, /taking .*\/a\/.*, and not .*\/b\/.*, .*\/c\//);
  assert.equal((await find(files, { configuration: 'c' })).found, files[2]);
  await assert.rejects(find(files, { configuration: 'cc' }), { hint: 'did you mean c?' });
});
