import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DOCKER_CAPABILITIES } from './capabilities.ts';

const SCRIPT = `
import { hideProcess } from ${JSON.stringify(new URL('./hide-process.ts', import.meta.url).href)};
hideProcess('envbuilder');
process.stdout.write('hidden');
setInterval(() => {}, 1000);
`;

test('neither environment nor arguments can be read by a root without CAP_SYS_PTRACE', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, '--', '--password=swordfish'], {
    env: { SECRET: 'swordfish' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [first] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    assert.equal(String(first), 'hidden');
    assert.doesNotMatch(readFileSync(`/proc/${child.pid}/cmdline`, 'latin1'), /swordfish/);
    const bounds = DOCKER_CAPABILITIES.map((cap) => `+cap_${cap}`).join(',');
    const peek = spawn(
      'setpriv',
      [`--bounding-set=-all,${bounds}`, 'cat', `/proc/${child.pid}/environ`, `/proc/${child.pid}/mem`],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let text = '';
    for (const stream of [peek.stdout, peek.stderr]) stream.on('data', (bytes) => (text += String(bytes)));
    await once(peek, 'close');
    assert.doesNotMatch(text, /swordfish/);
    assert.match(text, /environ: Permission denied/);
    assert.match(text, /mem: Permission denied/);
  } finally {
    child.kill('SIGKILL');
  }
});
