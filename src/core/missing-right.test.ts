import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { missingRight } from './missing-right.ts';

const refusal = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });

test('what is no refusal lacks no right, and neither does a network or a program', () => {
  for (const error of [undefined, new Error('x'), refusal('ENOENT', 'open'), refusal('EACCES', 'connect')])
    assert.equal(missingRight(error), undefined);
  assert.equal(missingRight(refusal('EACCES', 'spawn x')), undefined);
});

const skip = process.getuid?.() !== 0 && 'needs root';

test('each call names the capability that root lacks for it, and none that it has', { skip }, () => {
  const calls = [
    ['EPERM', 'fchown', 'chown'],
    ['EPERM', 'chmod', 'fowner'],
    ['EPERM', 'lsetxattr', 'setfcap'],
    ['EPERM', 'setgroups', 'setgid'],
    ['EPERM', 'mknod', 'mknod'],
    ['EPERM', 'kill', 'kill'],
    ['EACCES', 'open', 'dac_override'],
  ] as const;
  const module = JSON.stringify(new URL('./missing-right.ts', import.meta.url).href);
  for (const [code, syscall, name] of calls) {
    const script = `const { missingRight } = await import(${module});
      console.log(missingRight(${JSON.stringify({ code, syscall })})?.reason ?? 'none');`;
    const run = (...under: string[]): string =>
      execFileSync(
        under[0] ?? process.execPath,
        [
          ...under.slice(1),
          ...(under[0] ? [process.execPath] : []),
          '--no-warnings',
          '--input-type=module',
          '-e',
          script,
        ],
        { encoding: 'utf8' },
      ).trim();
    const without = run('setpriv', `--bounding-set=-${name}`, `--inh-caps=-${name}`);
    assert.equal(without, `this process lacks CAP_${name.toUpperCase()}`);
    // Whoever may make devices and cannot is in a container that forbids it.
    assert.equal(run(), syscall === 'mknod' ? 'this container may not make devices' : 'none');
    if (syscall !== 'mknod') continue;
    const inside = run('unshare', '--user', '--map-root-user');
    assert.equal(inside, 'no device can be made in a user namespace');
  }
});
