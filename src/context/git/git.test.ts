import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createGit } from './git.ts';
import { gitFailureKind } from './git-failure.ts';
import { gitProgram } from './git-program.ts';

test('a server that drips is given up', async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
    const timer = setInterval(() => response.write('0'), 100);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const git = createGit({
    ...gitProgram(process.env.PATH ?? ''),
    ssh: { knownHosts: [] },
    slow: { bytes: 100, seconds: 2 },
  });
  t.after(() => {
    git.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const { code, messages } = await git.run(['ls-remote', '--', `http://127.0.0.1:${port}/x.git`]);
  assert.notEqual(code, 0);
  assert.equal(gitFailureKind(messages), 'slow', messages.join('\n'));
});
