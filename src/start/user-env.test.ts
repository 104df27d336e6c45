import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Event } from '../core/events.ts';
import { scratchDir } from '../core/testing.ts';
import { runAs } from '../sys/run-as.ts';
import { mergeShell, probeUserEnvironment } from './user-env.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const home = scratchDir('user-env');
const env = { PATH: '/opt/of the image:/usr/bin:/bin', HOME: home, KEPT: 'x' };

async function probe(
  kind: Parameters<typeof probeUserEnvironment>[0],
  shell = '/bin/bash',
  more: { readonly asked?: boolean; readonly timeoutMs?: number } = {},
) {
  const events: Event[] = [];
  const account = { uid: 0, gid: 0, groups: [0], name: 'dev', home, shell };
  const result = await probeUserEnvironment(kind, {
    runAs,
    account,
    env,
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    ...more,
  });
  return { result: result && mergeShell(env, result), events };
}

test('a login shell adds what its profile sets', { skip }, async () => {
  writeFileSync(
    join(home, '.bash_profile'),
    'echo noise; export PATH="$HOME/bin:$PATH" MULTI="a\nb=c"; unset KEPT\n',
  );
  const { result, events } = await probe('loginShell');
  // What /etc/profile makes of PATH depends on the machine.
  const path = result!.PATH!.split(':');
  assert.deepEqual({ ...result, PATH: '' }, { ...env, PATH: '', MULTI: 'a\nb=c' });
  assert.ok(path.includes(`${home}/bin`) && path.includes('/opt/of the image') && path.includes('/bin'));
  assert.equal(new Set(path).size, path.length);
  assert.deepEqual(events, []);
});

test('an interactive shell reads its own file, without a terminal', { skip }, async () => {
  writeFileSync(join(home, '.bashrc'), 'export RC=1\n');
  const { result } = await probe('interactiveShell');
  assert.equal(result?.RC, '1');
});

test('none asks nobody; a shell that is missing is a warning', { skip }, async () => {
  assert.deepEqual(await probe('none', '/no/shell'), { result: undefined, events: [] });
  const { result, events } = await probe('loginShell', '/no/shell');
  assert.equal(result, undefined);
  assert.match(
    (events[0] as { text: string }).text,
    /of dev could not be read from \/no\/shell: it .*not found/,
  );
});

test('PowerShell is asked with its own flags', { skip }, async () => {
  const shell = join(home, 'pwsh');
  writeFileSync(
    shell,
    '#!/bin/sh\nfor one; do FLAGS="$FLAGS$last "; last=$one; done\nexport FLAGS; eval "$last"\n',
    { mode: 0o755 },
  );
  for (const [kind, flags] of [
    ['loginShell', ' -Login -Command '],
    ['loginInteractiveShell', ' -Login -Command '],
    ['interactiveShell', ' -Command '],
  ] as const)
    assert.equal((await probe(kind, shell)).result?.FLAGS, flags, kind);
});

test('a shell that does not end is said, also where nobody asked for it, and is ended', {
  skip,
}, async () => {
  const shell = join(home, 'slow');
  writeFileSync(shell, '#!/bin/sh\necho garbage; exec sleep 1000\n', { mode: 0o755 });
  // Wait: the limit itself is tested.
  const { result, events } = await probe('loginInteractiveShell', shell, { asked: false, timeoutMs: 50 });
  assert.equal(result, undefined);
  assert.match(JSON.stringify(events), /"warning".*took longer than 0.05 seconds/);
  assert.equal((await probe('loginShell', '/bin/false', { asked: false })).events[0]?.type, 'message');
});
