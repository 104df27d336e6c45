import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AppError } from '../../core/error.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import type { Syscalls } from '../../sys/types.ts';
import { whyNoOverlay } from './refusal.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-refusal-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A kernel that answers every mount with an error. */
function refusing(code: string): Pick<Syscalls, 'mount' | 'umount'> {
  return {
    mount: () => {
      throw Object.assign(new Error(`${code}: mount`), { code, syscall: 'mount' });
    },
    umount: () => assert.fail('nothing is mounted'),
  };
}

const directory = (): string => mkdtempSync(join(scratch, 'w'));

for (const [code, hint] of [
  ['EPERM', /seccomp/],
  ['EACCES', /AppArmor/],
  ['ENOSYS', /seccomp/],
  ['ENODEV', /modprobe overlay/],
  ['EINVAL', /--work-dir/],
  ['EOPNOTSUPP', /--work-dir/],
] as const)
  test(`a kernel that answers ${code} has no overlay mounts for us, and the hint fits`, () => {
    const refusal = whyNoOverlay(refusing(code), directory());
    assert.match(refusal?.why ?? '', new RegExp(code));
    assert.match(refusal?.hint ?? '', hint);
  });

test('an error that is no refusal is the error of the build', () => {
  for (const code of ['ENOMEM', 'ENOSPC', 'EIO', 'EMFILE'])
    assert.throws(() => whyNoOverlay(refusing(code), directory()), AppError);
});

test('where overlays can be mounted, none stays behind', () => {
  const workDir = directory();
  const mounted: string[] = [];
  const syscalls = createSyscalls();
  const watched: Pick<Syscalls, 'mount' | 'umount'> = {
    mount: (source, target, fstype, flags, data) => {
      syscalls.mount(source, target, fstype, flags, data);
      mounted.push(target);
    },
    umount: (target, flags) => {
      syscalls.umount(target, flags);
      mounted.splice(mounted.indexOf(target), 1);
    },
  };
  assert.equal(whyNoOverlay(watched, workDir), undefined);
  assert.deepEqual(mounted, []);
});
