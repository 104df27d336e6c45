import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../core/testing.ts';
import { parseOptions } from '../options/parse.ts';
import { containerDefinition, containerFolder, namedContainer, openContainers } from './container-request.ts';

const context = { env: {}, cwd: '/' };

test('options of devcontainer up and exec are taken, and what they mean here', () => {
  const given = [
    '--terminal-columns',
    '80',
    '--docker-path=x',
    '--log-level',
    'trace',
    '--log-format',
    'json',
  ];
  for (const command of ['up', 'exec'] as const) {
    const { options } = parseOptions(command, [...given, '--workspace-folder', '/w'], {});
    assert.equal(options['workspace-folder'], '/w');
  }
  const lockfile = (...args: string[]): string => {
    const parsed = parseOptions('up', args, {});
    return containerDefinition(parsed, '/w', context).lockfile;
  };
  assert.deepEqual(
    [lockfile(), lockfile('--no-lockfile'), lockfile('--frozen-lockfile')],
    ['read', 'ignore', 'frozen'],
  );
});

test('options of exec end at its command', () => {
  const { options, operands } = parseOptions('exec', ['-u', 'me', 'ls', '-l', '--user', 'x'], {});
  assert.deepEqual([options.user, operands], ['me', ['ls', '-l', '--user', 'x']]);
  assert.deepEqual(parseOptions('exec', ['--', '-x'], {}).operands, ['-x']);
});

test('a container is found by folder, by file where there are several, by name and by the beginning of its id', async (t) => {
  const dir = tempDir(t);
  const folder = join(dir, 'app');
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, '.devcontainer', name), { recursive: true });
    writeFileSync(join(folder, '.devcontainer', name, 'devcontainer.json'), '{"image":"x"}');
  }
  symlinkSync('app', join(dir, 'link'));
  const store = await openContainers({ 'containers-dir': join(dir, 'containers') }, context);
  const add = (name: string, id: string, of: string): void =>
    store.write({
      ...{ id: id.repeat(32), name, folder, created: '', scope: {} },
      configFile: join(folder, '.devcontainer', of, 'devcontainer.json'),
    });
  const find = async (...args: string[]): Promise<string> => {
    const parsed = parseOptions('down', args, {});
    return (await namedContainer(parsed, store, parsed.operands[0], { ...context, cwd: dir })).record.name;
  };
  add('one', '12', 'a');
  assert.equal(await find('app'), 'one');
  assert.equal(await find('link'), 'one');
  assert.equal(await find('--workspace-folder=app'), 'one');
  add('two', '34', 'b');
  assert.equal(await find('app', '--config', 'app/.devcontainer/b/devcontainer.json'), 'two');
  assert.equal(await find('app', '--devcontainer-name=a'), 'one');
  assert.equal(await find('--name=two'), 'two');
  assert.equal(await find('--container-id=3434'), 'two');
  for (const args of [['--name=three'], ['--container-id=343'], ['--container-id=99999'], ['containers']])
    await assert.rejects(find(...args), { code: 'START_FAILED' }, args.join(' '));
  assert.throws(() => containerFolder(parseOptions('up', [], {}), 'none', dir), { code: 'WORKSPACE' });
});
