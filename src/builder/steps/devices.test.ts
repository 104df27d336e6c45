import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Event } from '../../core/events.ts';
import { tempDir } from '../../core/testing.ts';
import type { DeviceRequest } from '../../dockerfile/types.ts';
import { giveDevices } from './devices.ts';

const RANGE = { file: 'Dockerfile', start: { line: 2, column: 5 }, end: { line: 2, column: 9 } };

const GPU = `cdiVersion: "0.6.0"
kind: vendor.com/gpu
containerEdits:
  env: [ALL=1]
devices:
  - name: one
    containerEdits:
      env: [ONE=a=b]
      deviceNodes: [{ path: /dev/one, hostPath: /dev/null }, { path: /dev/zero }]
      mounts: [{ hostPath: /lib/one.so, containerPath: /usr/lib/one.so, options: [ro, nosuid] }]
  - name: two
    annotations: { org.mobyproject.buildkit.device.class: fast }
    containerEdits: { env: [TWO=1], hooks: [{ hookName: createContainer, path: /bin/x }] }
`;
const FREE = JSON.stringify({
  cdiVersion: '0.6.0',
  kind: 'free.org/net',
  annotations: { 'org.mobyproject.buildkit.device.autoallow': 'true' },
  devices: [{ name: 'x', containerEdits: { env: ['NET=1'] } }],
});

function machine(t: TestContext) {
  const dir = tempDir(t);
  const [first, second] = [join(dir, 'etc'), join(dir, 'run')];
  mkdirSync(first);
  mkdirSync(second);
  writeFileSync(join(first, 'gpu.yaml'), GPU);
  writeFileSync(join(first, 'broken.json'), '{ "kind": ');
  writeFileSync(join(first, 'no-spec.yml'), '- 1\n');
  writeFileSync(join(second, 'free.json'), FREE);
  const events: Event[] = [];
  const directories = [first, second, join(dir, 'nowhere')];
  const give = (names: readonly (string | Partial<DeviceRequest>)[], allowed: readonly string[] = ['*']) => {
    const requests = names.map((one) => {
      const request = typeof one === 'string' ? { name: one } : one;
      return { name: '', required: false, range: RANGE, ...request };
    });
    return giveDevices(requests, { allowed, directories, emit: (event) => events.push(event) });
  };
  return { give, events };
}

test('a device brings its nodes, mounts and variables, and those of its file', (t) => {
  const { give } = machine(t);
  assert.deepEqual(give(['vendor.com/gpu=one']), {
    mounts: [
      { type: 'bind', source: '/dev/null', target: '/dev/one', readonly: false },
      { type: 'bind', source: '/dev/zero', target: '/dev/zero', readonly: false },
      { type: 'bind', source: '/lib/one.so', target: '/usr/lib/one.so', readonly: true },
    ],
    env: { ALL: '1', ONE: 'a=b' },
  });
});

test('devices are named by themselves, by their kind, all of it, or by a class', (t) => {
  const { give } = machine(t);
  for (const [names, variables] of [
    [['vendor.com/gpu'], 'ALL ONE'],
    [['vendor.com/gpu=*'], 'ALL ONE TWO'],
    [['vendor.com/gpu=two', 'vendor.com/gpu=two'], 'ALL TWO'],
    [['fast'], 'ALL TWO'],
    [['free.org/net'], 'NET'],
    [['vendor.com/gpu=three', 'vendor.com', 'other.com/gpu=*'], ''],
    [[], ''],
  ] as const)
    assert.equal(Object.keys(give(names).env).join(' '), variables, names.join());
});

test('a device that is not there is left out, and an error where it is required', (t) => {
  const { give } = machine(t);
  assert.throws(() => give([{ name: 'vendor.com/gpu=nine', required: true }]), {
    code: 'DOCKERFILE',
    message: /vendor\.com\/gpu=nine/,
    hint: 'the devices are vendor.com/gpu=one, vendor.com/gpu=two, free.org/net=x',
    where: { range: RANGE },
  });
});

test('devices have to be allowed: by name, kind or class, or by their own file', (t) => {
  const { give, events } = machine(t);
  const both = ['vendor.com/gpu=*', 'free.org/net'];
  const given = (allowed: readonly string[]) => Object.keys(give(both, allowed).env).join(' ');
  assert.equal(given([]), 'NET');
  assert.equal(events.filter(({ type }) => type === 'warning').length, 2);
  assert.equal(given(['vendor.com/gpu=one']), 'ALL ONE NET');
  assert.equal(given(['fast']), 'ALL TWO NET');
  assert.equal(given(['vendor.com/gpu']), 'ALL ONE TWO NET');
  assert.throws(() => give([{ name: 'fast', required: true }], []), {
    code: 'PERMISSION',
    hint: /--allow device=vendor\.com\/gpu=two/,
  });
});
