import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../../core/error.ts';
import { scratchDir } from '../../core/testing.ts';
import { createGit } from './git.ts';
import { gitFailureKind, gitReason } from './git-failure.ts';
import { gitProgram } from './git-program.ts';
import { updateSubmodules } from './submodules.ts';
import { countFiles, createFileCount } from './too-many-files.ts';

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

const SLOW = { bytes: 100, seconds: 2 };

/** Servers that never have done: a byte now and then, or nothing at all. */
const SERVERS: Readonly<Record<string, () => Server>> = {
  'http that drips': () =>
    createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      const timer = setInterval(() => response.write('0'), 100);
      response.on('close', () => clearInterval(timer));
    }),
  'git that drips': () =>
    createTcpServer((socket) => {
      // The first packet is to have 255 bytes.
      socket.write('00ff');
      const timer = setInterval(() => socket.write('x'), 200);
      socket.on('close', () => clearInterval(timer)).on('error', () => {});
    }),
  'git that says nothing': () => createTcpServer((socket) => void socket.on('error', () => {})),
};

for (const [name, start] of Object.entries(SERVERS)) {
  test(`a server is given up: ${name}`, async (t) => {
    const server = start();
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const git = createGit({ ...gitProgram(process.env.PATH ?? ''), ssh: { knownHosts: [] }, slow: SLOW });
    t.after(() => {
      git.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const [scheme] = name.split(' ');
    const { code, messages } = await git.run(['ls-remote', '--', `${scheme}://127.0.0.1:${port}/x.git`]);
    assert.notEqual(code, 0);
    assert.equal(gitFailureKind(messages), 'slow', messages.join('\n'));
  });
}

test('who computes, or reads from anywhere, is no slow server', async (t) => {
  const git = createGit({ ...gitProgram(process.env.PATH ?? ''), ssh: { knownHosts: [] }, slow: SLOW });
  t.after(() => git.close());
  // Each for longer than a server may be silent.
  const compute = 'end=$(($(date +%s) + 4)); while test $(date +%s) -lt $end; do i=1; done';
  const read = 'for i in 1 2 3 4 5 6 7 8; do head -c 2000 /dev/zero >/dev/null; sleep 0.5; done';
  for (const work of [compute, read]) {
    const { code, messages } = await git.run(['-c', `alias.work=!${work}`, 'work']);
    assert.equal(code, 0, messages.join('\n'));
  }
});

test('git is ended that takes too much memory, with all its children', async (t) => {
  const memory = 100 * 1024 * 1024;
  const git = createGit({ ...gitProgram(process.env.PATH ?? ''), ssh: { knownHosts: [] }, memory });
  t.after(() => git.close());
  const run = (megabytes: number, then: string) =>
    git.run(['-c', `alias.work=!x=$(head -c ${megabytes}000000 /dev/zero | tr '\\0' x); ${then}`, 'work']);
  const little = await run(1, 'true');
  assert.equal(little.code, 0, little.messages.join('\n'));
  // It would go on for ever.
  const much = await run(200, 'while :; do :; done');
  assert.notEqual(much.code, 0);
  assert.match(gitReason(much.messages), /^git was ended, since it took more than 1\d\d.* of memory/);
});

test('files of a commit are counted, and no further than they may be', async (t) => {
  const dir = scratchDir('count-files');
  const call = (args: readonly string[], input = ''): string =>
    execFileSync('git', ['-C', dir, ...args], { input, encoding: 'utf8' }).trim();
  call(['init', '-q']);
  const blob = call(['hash-object', '-w', '--stdin'], 'x');
  const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `f${i}`);
  let tree = call(
    ['mktree'],
    names(5)
      .map((name) => `100644 blob ${blob}\t${name}\n`)
      .join(''),
  );
  const git = createGit({ ...gitProgram(process.env.PATH ?? ''), ssh: { knownHosts: [] } });
  t.after(() => git.close());
  assert.ok((await countFiles(git, dir, tree, { most: 4 })) > 4);
  assert.equal(await countFiles(git, dir, tree, { most: 5 }), 5);
  assert.equal(await countFiles(git, dir, 'none', { most: 5 }), 0);
  // The sum counts, and what was refused is not in it.
  const files = createFileCount(git, { most: 11 });
  const exceeds = (): Promise<boolean> => files.exceeds(dir, tree);
  assert.deepEqual([await exceeds(), await exceeds(), await exceeds()], [false, false, true]);
  // Ten of the level below in each: fifty billion files, which nobody would have counted by tomorrow.
  for (let level = 0; level < 10; level += 1)
    tree = call(
      ['mktree'],
      names(10)
        .map((name) => `040000 tree ${tree}\t${name}\n`)
        .join(''),
    );
  assert.equal(await createFileCount(git).exceeds(dir, tree), true);
});

test('files of submodules are counted with those of their repository, before they are checked out', async (t) => {
  const dir = scratchDir('count-submodules');
  const run = (repository: string, ...args: readonly string[]): string =>
    execFileSync(
      'git',
      [
        '-C',
        repository,
        ...['user.name=t', 'user.email=t@example.org', 'protocol.file.allow=always'].flatMap((one) => [
          '-c',
          one,
        ]),
        ...args,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
  const made = (name: string, files: number): string => {
    const path = join(dir, name);
    mkdirSync(path);
    run(path, 'init', '-q');
    for (let i = 0; i < files; i += 1) writeFileSync(join(path, `f${i}`), '');
    run(path, 'add', '.');
    run(path, 'commit', '-q', '-m', 'x');
    return path;
  };
  const [innermost, inner, outer] = [made('innermost', 3), made('inner', 2), made('outer', 1)];
  run(inner, 'submodule', 'add', '-q', innermost, 'deep');
  run(inner, 'commit', '-q', '-m', 'y');
  run(outer, 'submodule', 'add', '-q', '--name', 'a name', inner, 'sub');
  run(outer, 'submodule', 'add', '-q', '--name', 'with=sign', inner, 'odd');
  run(outer, 'submodule', 'add', '-q', innermost, 'never');
  run(outer, 'config', '-f', '.gitmodules', 'submodule.never.update', 'none');
  run(outer, 'add', '.');
  run(outer, 'commit', '-q', '-m', 'y');
  const git = createGit({
    ...gitProgram(process.env.PATH ?? ''),
    ssh: { knownHosts: [] },
    localSubmodules: true,
  });
  t.after(() => git.close());
  // Of the repository: one file, .gitmodules and three links; of inner: two, .gitmodules and a link.
  for (const [most, files, missing] of [
    [3, [], ['sub']],
    [8, [], ['sub']],
    [9, ['sub/f1'], ['deep']],
    [11, ['sub/f1'], ['deep']],
    [12, ['sub/f1', 'sub/deep/f2'], []],
  ] as const) {
    const clone = join(dir, `clone-${most}`);
    run(dir, 'clone', '-q', '--no-recurse-submodules', outer, clone);
    const [left, odd]: [string[], string[]] = [[], []];
    const count = createFileCount(git, { most });
    const beyond = await count.exceeds(clone, 'HEAD');
    await updateSubmodules(clone, {
      attempt: (args) => git.run(args),
      files: count,
      errorOf: ({ messages }) => new AppError('CONTEXT', messages.join()),
      onMissing: (path, error) => {
        assert.match(error.message, /with it there are more than/);
        left.push(path);
      },
      onUnnamed: (path) => odd.push(path),
      code: 'CONTEXT',
      levels: 5,
    });
    assert.equal(beyond, most === 3);
    assert.deepEqual([left, odd], [missing, ['odd']], `${most}`);
    const all = ['sub/f1', 'sub/deep/f2', 'odd/f1', 'never/f1'];
    assert.deepEqual(
      all.filter((path) => existsSync(join(clone, path))),
      files,
      `${most}`,
    );
  }
});
