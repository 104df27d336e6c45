import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountTable } from '../../sys/mount-table.ts';
import { assertSafe, type RootFacts } from './guard.ts';

const OWN = '/.envbuilder';
const OVERLAY = '500 400 0:55 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c';
const DISK = '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw';
const PROC = '501 500 0:60 / /proc rw,nosuid - proc proc rw';

function facts(lines: readonly string[], change: Partial<RootFacts> = {}): RootFacts {
  return {
    mounts: parseMountTable(Buffer.from(`${lines.join('\n')}\n`)),
    program: '/.envbuilder/bin/node',
    ownDirExists: true,
    chrooted: false,
    hostProcesses: false,
    ...change,
  };
}

const check = (found: RootFacts, kanikoDir: string | undefined = OWN, force = false): void =>
  assertSafe({ ownDir: OWN, kanikoDir, force }, found);

const unsafe = (pattern: RegExp) => ({ code: 'UNSAFE', message: pattern });

test('a container of our own image passes, also with the process numbers of its host', () => {
  check(facts([OVERLAY, PROC]));
  check(facts([OVERLAY, PROC], { hostProcesses: true }));
  check(facts(['1 0 0:55 / / rw - tmpfs tmpfs rw', PROC]));
  check(facts(['1 0 0:30 /subvolumes/7 / rw - btrfs /dev/vdb rw', PROC]));
});

test('KANIKO_DIR has to name our directory, unless that is forced', () => {
  for (const value of [undefined, '', '/kaniko', '/.envbuilder/'])
    assert.throws(() => assertSafe({ ownDir: OWN, kanikoDir: value, force: false }, facts([OVERLAY])), {
      code: 'UNSAFE',
      message: /KANIKO_DIR/,
    });
  check(facts([OVERLAY]), '/kaniko', true);
});

test('force leaves every other check as it is', () => {
  assert.throws(() => check(facts([DISK, PROC], { hostProcesses: true }), undefined, true), unsafe(/a host/));
  assert.throws(() => check(facts([OVERLAY], { program: '/usr/bin/node' }), OWN, true), unsafe(/usr/));
});

test('a program outside of our directory is refused', () => {
  assert.throws(() => check(facts([OVERLAY], { program: '/.envbuilder2/node' })), unsafe(/runs from/));
  assert.throws(() => check(facts([OVERLAY], { ownDirExists: false })), unsafe(/runs from/));
});

test('hosts, whole disks, shared roots and chroots are refused', () => {
  assert.throws(() => check(facts([DISK, PROC], { hostProcesses: true })), unsafe(/a host/));
  assert.throws(() => check(facts([DISK, PROC])), unsafe(/all of the disk \/dev\/vda/));
  const shared = '1 0 0:55 / / rw shared:1 - tmpfs tmpfs rw';
  assert.throws(() => check(facts([shared, PROC])), unsafe(/shared/));
  check(facts([OVERLAY.replace(' - overlay', ' shared:1 - overlay')]));
  assert.throws(() => check(facts([PROC])), unsafe(/chroot/));
  assert.throws(() => check(facts([OVERLAY], { chrooted: true })), unsafe(/chroot/));
});

test('this machine is refused', () => {
  assert.throws(() => assertSafe({ ownDir: OWN, kanikoDir: OWN, force: true }), { code: 'UNSAFE' });
});
