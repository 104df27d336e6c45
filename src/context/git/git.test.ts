import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createGit } from './git.ts';
import { gitFailureKind } from './git-failure.ts';
import { gitProgram } from './git-program.ts';

test('loopback addresses are reached without the proxy of the variables, other hosts through it', async (t) => {
  // https://pkg.go.dev/net/http#ProxyFromEnvironment: "if req.URL.Host is "localhost" or a loopback address (with or
  // without a port number), then a nil URL and nil error will be returned".
  const listen = async (seen: string[]): Promise<number> => {
    const server = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    return (server.address() as AddressInfo).port;
  };
  const [direct, proxied]: [string[], string[]] = [[], []];
  const port = await listen(direct);
  const http = `http://127.0.0.1:${await listen(proxied)}`;
  for (const noProxy of [undefined, '', 'other.invalid']) {
    const proxy = { http, ...(noProxy === undefined ? {} : { noProxy }) };
    const git = createGit({ ...gitProgram(process.env.PATH ?? ''), ssh: { knownHosts: [] }, proxy });
    t.after(git.close);
    for (const host of ['localhost', '127.0.0.1', '127.9.8.7', 'git.invalid', 'notlocalhost'])
      await git.run(['ls-remote', '--', `http://${host}:${port}/${host}.git`]);
  }
  const asked = (urls: readonly string[]) => new Set(urls.map((url) => /([^/]+)\.git/.exec(url)?.[1]));
  assert.deepEqual(asked(proxied), new Set(['git.invalid', 'notlocalhost']));
  // The rest of 127.0.0.0/8 has nobody who listens here.
  assert.deepEqual(asked(direct), new Set(['localhost', '127.0.0.1']));
});

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
