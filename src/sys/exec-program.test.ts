import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { scratchDir } from '../core/testing.ts';
import { createRunner } from './run.ts';
import { createSyscalls } from './syscalls.ts';

const shell = '/bin/busybox';
const skip = !existsSync(shell) && 'busybox-static is not installed';
const root = scratchDir('exec');
const runner = createRunner(createSyscalls());
after(() => runner.close());

/**
 * A machine that there is none of; tests that run beside these have another one. Neither byte of it is ASCII: a shell
 * reads it in a script, where a quote or a parenthesis would count.
 */
const MACHINE = (randomInt(0xf0, 0x100) << 8) | randomInt(0x80, 0x100);

/** A program for that machine; there is nothing in it but its header. */
function foreignProgram(): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(MACHINE, 18);
  return header;
}

before(() => {
  for (const dir of ['bin', 'proc', 'dev', 'sys', 'tmp', 'etc', 'work']) mkdirSync(join(root, dir));
  if (!skip) cpSync(shell, join(root, 'bin/sh'));
  for (const name of ['id', 'ls']) if (!skip) symlinkSync('sh', join(root, 'bin', name));
  writeFileSync(join(root, 'bin/foreign'), foreignProgram(), { mode: 0o755 });
  writeFileSync(join(root, 'bin/script'), '#!/bin/foreign -x\n', { mode: 0o755 });
  writeFileSync(join(root, 'bin/nested'), '#!/bin/script\n', { mode: 0o755 });
  writeFileSync(join(root, 'bin/odd'), '#!/bin/text\n', { mode: 0o755 });
  writeFileSync(join(root, 'bin/text'), 'no program\n', { mode: 0o755 });
});

async function run(...argv: string[]): Promise<{ readonly exitCode: number; readonly output: string }> {
  let output = '';
  const { exitCode } = await runner.run({
    root,
    argv,
    env: { PATH: '/bin', SEEN: 'in the environment' },
    cwd: '/work',
    uid: 0,
    gid: 0,
    groups: [],
    mounts: [],
    hostname: 'builder',
    network: 'host',
    privileged: false,
    onOutput: (_, chunk) => {
      output += chunk.toString();
    },
  });
  return { exitCode, output };
}

/**
 * Registers a program as what runs the programs of that machine, until the test ends; false where that is not allowed.
 * @param flags `F`: it is opened now, else by its path when a program is started
 */
function register(t: TestContext, interpreter: string, flags: string): boolean {
  const sys = createSyscalls();
  const place = mkdtempSync(join(tmpdir(), 'envbuilder-binfmt-'));
  const name = `envbuilder-${randomBytes(4).toString('hex')}`;
  try {
    sys.mount('binfmt_misc', place, 'binfmt_misc', 0);
  } catch {
    rmdirSync(place);
    return false;
  }
  t.after(() => {
    if (existsSync(join(place, name))) writeFileSync(join(place, name), '-1');
    sys.umount(place);
    rmdirSync(place);
  });
  const bytes = (buffer: Buffer): string =>
    [...buffer].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const mask = Buffer.alloc(20, 0xff);
  const rule = `:${name}:M::${bytes(foreignProgram().subarray(0, 20))}:${bytes(mask)}:${interpreter}:${flags}`;
  try {
    writeFileSync(join(place, 'register'), rule);
    return true;
  } catch {
    return false;
  }
}

test('a program for another machine that nothing emulates is an error that says so', { skip }, async () => {
  for (const word of ['foreign', '/bin/script', 'nested']) {
    await assert.rejects(run(word), (error: Error & { hint?: string }) => {
      assert.match(error.message, /is for another architecture, and this machine has no emulator for it/);
      assert.match(error.hint ?? '', /--platform.*qemu-user-static/);
      return true;
    });
  }
  await assert.rejects(run('odd'), { code: 'BUILD_FAILED', message: /\/bin\/odd/ });
});

test('where the kernel knows an emulator it is run, by itself and as an interpreter', { skip }, async (t) => {
  const emulator = join(scratchDir('emulator'), 'echo');
  cpSync(shell, emulator);
  if (!register(t, emulator, 'F')) return t.skip('binfmt_misc cannot be mounted or written to');
  assert.deepEqual(await run('foreign', 'a b', 'c'), { exitCode: 0, output: '/bin/foreign a b c\n' });
  assert.deepEqual(await run('script', 'a'), { exitCode: 0, output: '/bin/foreign -x /bin/script a\n' });
  const { output } = await run('sh', '-c', 'exec foreign from a shell');
  assert.equal(output, '/bin/foreign from a shell\n');
});

test('an emulator that only the machine has, not the image, is an error that names the flag', {
  skip,
}, async (t) => {
  if (!register(t, join(root, 'nowhere'), '')) return t.skip('binfmt_misc cannot be mounted or written to');
  await assert.rejects(run('foreign'), (error: Error & { hint?: string }) => {
    assert.match(error.message, /its emulator or its loader is not in the image/);
    assert.match(error.hint ?? '', /flag F/);
    return true;
  });
});

test('environment and identity are those of the command, and nothing of ours is open', {
  skip,
}, async (t) => {
  // The shell in the place of an emulator: what it is given is a script that looks around.
  const emulator = join(scratchDir('shell'), 'sh');
  cpSync(shell, emulator);
  if (!register(t, emulator, 'F')) return t.skip('binfmt_misc cannot be mounted or written to');
  const look = '\necho $$ $SEEN, $(id -u), $(ls -x /proc/self/fd); exit 3\n';
  writeFileSync(
    join(root, 'bin/look'),
    Buffer.concat([foreignProgram().subarray(0, 20), Buffer.from(look)]),
    {
      mode: 0o755,
    },
  );
  const { exitCode, output } = await run('look');
  assert.equal(exitCode, 3);
  // 3 is the directory that ls itself reads.
  // Before or behind it the shell complains of the header, on another stream.
  assert.match(output, /^1 in the environment, 0, 0 +1 +2 +3$/m);
});
