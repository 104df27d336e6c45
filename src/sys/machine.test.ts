import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CAPABILITY_NAMES } from './capabilities.ts';
import { type Machine, type MachinePlaces, probeMachine } from './machine.ts';

const GIB = 2 ** 30;

/** A machine whose kernel says what these files hold. */
function machineOf(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  places: Partial<MachinePlaces> = {},
): Machine {
  const root = mkdtempSync(join(tmpdir(), 'machine-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), join(root, name));
    else writeFileSync(join(root, name), content);
  }
  return probeMachine({ root, pid: 1, parallelism: 16, ...places });
}

const mount = (point: string, type = 'ext4', root = '/'): string =>
  `1 1 0:1 ${root} ${point} rw - ${type} none rw\n`;
const MEMINFO = { 'proc/meminfo': `MemTotal:       ${(32 * GIB) / 1024} kB\nMemFree: 1 kB\n` };

const LIMITS: Readonly<
  Record<string, { files: Readonly<Record<string, string>>; cpus: number; memory: number }>
> = {
  'a machine without control groups': { files: {}, cpus: 16, memory: 32 },
  'version 2, in a namespace of its own': {
    files: {
      'proc/self/cgroup': '0::/\n',
      'proc/self/mountinfo': mount('/sys/fs/cgroup', 'cgroup2'),
      'sys/fs/cgroup/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/memory.max': `${4 * GIB}\n`,
    },
    cpus: 1.5,
    memory: 4,
  },
  'version 2 without limits': {
    files: {
      'proc/self/cgroup': '0::/\n',
      'proc/self/mountinfo': mount('/sys/fs/cgroup', 'cgroup2'),
      'sys/fs/cgroup/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/memory.max': 'max\n',
    },
    cpus: 16,
    memory: 32,
  },
  'version 2, the strictest of the groups around': {
    files: {
      'proc/self/cgroup': '0::/pod/box\n',
      'proc/self/mountinfo': mount('/sys/fs/cgroup', 'cgroup2'),
      'sys/fs/cgroup/pod/box/cpu.max': '800000 100000\n',
      'sys/fs/cgroup/pod/cpu.max': '200000 100000\n',
      'sys/fs/cgroup/pod/box/memory.max': `${2 * GIB}\n`,
      'sys/fs/cgroup/pod/memory.max': `${8 * GIB}\n`,
    },
    cpus: 2,
    memory: 2,
  },
  'version 1, whose mounts show this group alone': {
    files: {
      'proc/self/cgroup': '4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/docker/abc\n',
      'proc/self/mountinfo':
        mount('/sys/fs/cgroup/memory', 'cgroup', '/docker/abc') +
        mount('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', '/docker/abc'),
      'sys/fs/cgroup/memory/memory.limit_in_bytes': `${3 * GIB}\n`,
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '300000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    },
    cpus: 3,
    memory: 3,
  },
  'version 1 without limits': {
    files: {
      'proc/self/cgroup': '4:memory:/\n2:cpu:/\n',
      'proc/self/mountinfo': mount('/sys/fs/cgroup/memory', 'cgroup') + mount('/sys/fs/cgroup/cpu', 'cgroup'),
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    cpus: 16,
    memory: 32,
  },
};

for (const [name, { files, cpus, memory }] of Object.entries(LIMITS)) {
  test(`processors and memory: ${name}`, (t) => {
    const machine = machineOf(t, { ...MEMINFO, ...files });
    assert.deepEqual([machine.cpus(), machine.memory()], [cpus, memory * GIB]);
  });
}

test('capabilities are those in effect', (t) => {
  const mask = (1n << 21n) | (1n << 40n);
  const some = machineOf(t, {
    'proc/self/status': `CapPrm:\tffffffffffffffff\nCapEff:\t${mask.toString(16).padStart(16, '0')}\n`,
    'proc/sys/kernel/cap_last_cap': '40\n',
  });
  const names = CAPABILITY_NAMES.filter((name) => some.hasCapability(name));
  assert.deepEqual(names, ['SYS_ADMIN', 'CHECKPOINT_RESTORE']);
  assert.ok(some.hasCapability('cap_sys_admin'));
  assert.ok(!some.hasCapability('ALL') && !some.hasCapability('NO_SUCH'));
  const all = machineOf(t, {
    'proc/self/status': 'CapEff:\t000001ffffffffff\n',
    'proc/sys/kernel/cap_last_cap': '40\n',
  });
  assert.ok(all.hasCapability('all'));
  assert.ok(!machineOf(t, {}).hasCapability('CHOWN'), 'what cannot be read is not there');
});

test('mounts are found where links lead to them', (t) => {
  const machine = machineOf(t, {
    'proc/self/mountinfo': mount('/run/docker.sock') + mount('/data\\040x') + mount('/'),
    'run/docker.sock': '',
    'var/run': '-> ../run',
  });
  const asked = ['/var/run/docker.sock', '/run/docker.sock/', '/data x', '/', '/data', '/run'];
  assert.deepEqual(
    asked.map((path) => machine.isMounted(path)),
    [true, true, true, true, false, false],
  );
});

const CONFINED = {
  'proc/self/status': 'NoNewPrivs:\t0\nSeccomp:\t2\n',
  'proc/self/attr/current': 'docker-default (enforce)\n',
  'sys/fs/selinux/enforce': '1',
};
const FREE = {
  'proc/self/status': 'NoNewPrivs:\t1\nSeccomp:\t0\n',
  'proc/self/attr/current': 'unconfined\n',
};

for (const option of ['seccomp=unconfined', 'apparmor:unconfined', 'label=disable', 'no-new-privileges']) {
  test(`the security option ${option}`, (t) => {
    assert.equal(machineOf(t, CONFINED).hasSecurityOption(option), false);
    assert.equal(machineOf(t, FREE).hasSecurityOption(option), true);
  });
}

test('a GPU, an init and storage', (t) => {
  const bare = machineOf(t, { 'dev/nvidiactl': '', 'dev/dri/card0': '' });
  assert.deepEqual([bare.hasGpu(), bare.hasInit()], [false, false]);
  assert.ok(bare.storage('/not/there/yet') > 0);
  const devices = ['dev/nvidia0', 'dev/dri/renderD128', 'dev/kfd', 'dev/dxg'];
  for (const device of devices) assert.ok(machineOf(t, { [device]: '' }).hasGpu(), device);
  assert.ok(machineOf(t, {}, { pid: 7 }).hasInit());
});

test('this machine has processors, memory and a root', () => {
  const machine = probeMachine();
  assert.ok(machine.cpus() > 0 && machine.memory() > 0 && machine.storage('/') > 0);
  assert.ok(machine.isMounted('/') && !machine.isMounted('/no/such/place'));
});

test('hosts are those of /etc/hosts', (t) => {
  const { knowsHost } = machineOf(t, {
    'etc/hosts': '127.0.0.1 localhost\n127.0.0.1\tdb cache # other\n#1.1.1.1 off\n',
  });
  assert.deepEqual(['localhost', 'db', 'cache', 'other', 'off', '127.0.0.1'].map(knowsHost), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.ok(!machineOf(t, {}).knowsHost('db'));
});
