import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectHooks } from './lifecycle.ts';
import { mergeConfig } from './merge.ts';
import { updateOldProperties } from './old-properties.ts';
import type { DevcontainerConfig, MetadataEntry } from './types.ts';

/** One property merged out of its values, lowest first; undefined where an entry has none. */
function merged(name: string, ...values: readonly unknown[]): unknown {
  const entries = values.map((value) => (value === undefined ? {} : { [name]: value }) as MetadataEntry);
  const result = mergeConfig({}, entries) as Readonly<Record<string, unknown>>;
  return Object.hasOwn(result, `${name}s`) ? result[`${name}s`] : result[name];
}

test('booleans are true when one of them is', () => {
  for (const name of ['init', 'privileged']) {
    assert.equal(merged(name), false);
    assert.equal(merged(name, false, undefined), false);
    assert.equal(merged(name, true, false), true);
  }
});

test('lists are united without duplicates', () => {
  for (const name of ['capAdd', 'securityOpt']) {
    assert.deepEqual(merged(name, ['b', 'a'], undefined, ['a', 'c']), ['b', 'a', 'c']);
    assert.equal(merged(name, []), undefined);
  }
});

test('the last value wins, whole', () => {
  for (const name of ['waitFor', 'remoteUser', 'containerUser', 'userEnvProbe', 'shutdownAction']) {
    assert.equal(merged(name, 'a', 'b', undefined), 'b');
    assert.equal(merged(name, 'a', ''), 'a');
    assert.equal(merged(name), undefined);
  }
  for (const name of ['overrideCommand', 'updateRemoteUserUID'])
    assert.equal(merged(name, true, false), false);
  assert.deepEqual(merged('otherPortsAttributes', { a: 1 }, { b: 1 }), { b: 1 });
});

test('the last value of each variable and port wins', () => {
  for (const name of ['remoteEnv', 'containerEnv'])
    assert.deepEqual(merged(name, { A: '1', B: '1' }, { B: '2' }), { A: '1', B: '2' });
  assert.deepEqual(merged('remoteEnv', { A: '1' }, { A: null }), { A: null });
  const ports = merged(
    'portsAttributes',
    { 80: { label: 'a', protocol: 'http' } },
    { 80: { label: 'b' }, 81: {} },
  );
  assert.deepEqual(ports, { 80: { label: 'b' }, 81: {} });
});

test('hooks and entry points are collected in order', () => {
  for (const name of [
    'onCreateCommand',
    'updateContentCommand',
    'postCreateCommand',
    'postStartCommand',
    'postAttachCommand',
  ]) {
    assert.deepEqual(merged(name), []);
    assert.deepEqual(merged(name, 'a', undefined, ['b'], { c: 'd' }, ''), ['a', ['b'], { c: 'd' }]);
  }
  assert.deepEqual(merged('customizations', { a: 1, b: 2 }, { a: 3 }), { a: [1, 3], b: [2] });
  const { entrypoints } = mergeConfig({}, [{ entrypoint: '/a' }, {}, { entrypoint: '/b' }]);
  assert.deepEqual(entrypoints, ['/a', '/b']);
});

test('of mounts with one target the last stays, in its place', () => {
  const object = { type: 'volume', source: 'x', target: '/a' };
  assert.deepEqual(
    merged(
      'mounts',
      ['target=/a,type=tmpfs', 'src=b,dst=/b,type=volume'],
      [object, 'type=volume,destination=/c'],
    ),
    ['src=b,dst=/b,type=volume', object, 'type=volume,destination=/c'],
  );
});

test('a port and the same port of localhost are one', () => {
  assert.deepEqual(merged('forwardPorts', [80, 'db:1'], ['localhost:80', 81]), [80, 'db:1', 81]);
});

test('the largest requirement wins', () => {
  assert.equal(merged('hostRequirements', undefined), undefined);
  assert.deepEqual(
    merged(
      'hostRequirements',
      { cpus: 2, memory: '1gb', gpu: 'optional' },
      { cpus: 1, memory: '2000mb', storage: '1tb' },
    ),
    { cpus: 2, memory: String(2000 * 2 ** 20), storage: String(2 ** 40), gpu: 'optional' },
  );
  assert.deepEqual(merged('hostRequirements', { gpu: { cores: 2 } }, { gpu: { cores: 1, memory: '8gb' } }), {
    cpus: 0,
    gpu: { cores: 2, memory: String(8 * 2 ** 30) },
  });
});

test('what only the file can say is kept', () => {
  const config: DevcontainerConfig = { image: 'x', initializeCommand: 'i', remoteUser: 'from entries only' };
  const result = mergeConfig(config, []) as Readonly<Record<string, unknown>>;
  assert.equal(result.image, 'x');
  assert.equal(result.initializeCommand, 'i');
  assert.equal(result.remoteUser, undefined);
});

test('hooks keep where they come from', () => {
  const entries = [
    { id: 'f:1', postStartCommand: 'a' },
    { postStartCommand: '' },
    { postStartCommand: { x: 'b' } },
    { postStartCommand: [] },
  ];
  const { postStartCommand, onCreateCommand } = collectHooks(entries, ({ id }, i) => id ?? `entry ${i}`);
  assert.deepEqual(postStartCommand, [
    { origin: 'f:1', command: 'a' },
    { origin: 'entry 2', command: { x: 'b' } },
  ]);
  assert.deepEqual(onCreateCommand, []);
});

test('properties from before customizations move there', () => {
  const old = (config: object) => updateOldProperties(config as DevcontainerConfig);
  assert.deepEqual(old({ image: 'x' }), { image: 'x' });
  assert.deepEqual(
    old({
      extensions: ['b'],
      settings: { a: 1, b: 1 },
      devPort: 1,
      customizations: { vscode: { extensions: ['a'], settings: { b: 2 } }, x: 1 },
    }),
    { customizations: { vscode: { extensions: ['a', 'b'], settings: { a: 1, b: 2 }, devPort: 1 }, x: 1 } },
  );
});
