import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scratchDir } from '../core/testing.ts';
import { cloneForBuild, prepareWorkspace } from './prepare.ts';
import { cloneRequest, createRepository, recordingDeps } from './testing.ts';
import type { CloneRequest } from './types.ts';

const scratch = scratchDir('workspace');
let count = 0;
const fresh = (): string => join(scratch, `w${++count}`);

const origin = createRepository(join(scratch, 'origin'));
const first = origin.commit({ 'a.txt': 'one\n', 'dir/b.txt': 'b\n', 'run.sh': '#!/bin/sh\n' });
origin.git('tag', 'v1');
origin.git('checkout', '-q', '-b', 'side');
const side = origin.commit({ 'side.txt': 'side\n' });
origin.git('update-ref', 'refs/pull/7/head', side);
origin.git('checkout', '-q', 'trunk');
const head = origin.commit({ 'a.txt': 'two\n' });
const url = `file://${origin.path}`;

const clone = async (fragment: string, more: Partial<CloneRequest> = {}, folder = fresh()) => {
  const deps = recordingDeps();
  const workspace = await prepareWorkspace({ folder, clone: cloneRequest(url + fragment, more) }, deps);
  return { ...workspace, deps, git: createReader(folder) };
};
const revisions = (folder: string, ref: string): number =>
  Number(execFileSync('git', ['-C', folder, 'rev-list', '--count', ref], { encoding: 'utf8' }));
const createReader = (folder: string) => ({
  ls: () => readdirSync(folder).sort(),
  head: () => readFileSync(join(folder, '.git/HEAD'), 'utf8').trim(),
});

test('without a repository the folder is made, and found again', async () => {
  const folder = join(fresh(), 'deep');
  assert.deepEqual(await prepareWorkspace({ folder }, recordingDeps()), { folder, state: 'empty' });
  assert.ok(existsSync(folder));
});

test('the branch that HEAD of the server names is checked out', async () => {
  const { state, commit, git } = await clone('');
  assert.equal(state, 'cloned');
  assert.equal(commit, head);
  assert.equal(git.head(), 'ref: refs/heads/trunk');
  assert.deepEqual(git.ls(), ['.git', 'a.txt', 'dir', 'run.sh']);
});

test('a fragment names a branch, a tag, a commit or any other reference', async () => {
  const cases: [string, string, string][] = [
    ['#side', side, 'ref: refs/heads/side'],
    ['#refs/heads/side', side, 'ref: refs/heads/side'],
    ['#v1', first, first],
    ['#refs/tags/v1', first, first],
    [`#${first}`, first, first],
    ['#refs/pull/7/head', side, side],
  ];
  for (const [fragment, commit, stored] of cases) {
    const cloned = await clone(fragment);
    assert.equal(cloned.commit, commit, fragment);
    assert.equal(cloned.git.head(), stored, fragment);
  }
  for (const fragment of [`#${first}`, '#refs/pull/7/head', '#side'])
    assert.ok((await clone(fragment, { depth: 1, singleBranch: true })).commit, fragment);
});

test('a reference that is not there is an error that names it, and leaves nothing', async () => {
  const folder = fresh();
  await assert.rejects(clone('#nowhere', {}, folder), { code: 'WORKSPACE', hint: /"nowhere"/ });
  assert.deepEqual(readdirSync(folder), []);
  await assert.rejects(clone('#--upload-pack=x', {}, folder), { code: 'USAGE' });
});

test('depth and single branch', async () => {
  const shallow = await clone('', { depth: 1 });
  assert.equal(revisions(shallow.folder, 'HEAD'), 1);
  assert.equal(revisions(shallow.folder, 'origin/side'), 1);
  const single = await clone('', { singleBranch: true });
  const refs = readFileSync(join(single.folder, '.git/packed-refs'), 'utf8');
  assert.match(refs, /origin\/trunk/);
  assert.doesNotMatch(refs, /origin\/side/);
  assert.ok(!existsSync(join(single.folder, '.git/shallow')));
});

test('a clone that is there is left alone, whatever the address', async () => {
  const { folder } = await clone('');
  writeFileSync(join(folder, 'a.txt'), 'mine\n');
  const deps = recordingDeps();
  const again = await prepareWorkspace({ folder, clone: cloneRequest('file:///nowhere') }, deps);
  assert.deepEqual(again, { folder, state: 'found', commit: head });
  assert.equal(readFileSync(join(folder, 'a.txt'), 'utf8'), 'mine\n');
});

test('files that the folder has stay, and a difference is a warning', async () => {
  const folder = fresh();
  mkdirSync(join(folder, 'dir'), { recursive: true });
  mkdirSync(join(folder, '.git'));
  for (const [name, text] of [
    ['a.txt', 'mine\n'],
    ['dir/b.txt', 'b\n'],
    ['dir/own', ''],
  ] as const)
    writeFileSync(join(folder, name), text);
  const { state, deps } = await clone('', {}, folder);
  assert.equal(state, 'cloned');
  assert.equal(readFileSync(join(folder, 'a.txt'), 'utf8'), 'mine\n');
  assert.ok(existsSync(join(folder, 'dir/own')) && existsSync(join(folder, 'run.sh')));
  const [warning] = deps.events.filter(({ type }) => type === 'warning');
  assert.match(JSON.stringify(warning), /kept: a\.txt"/);
});

test('names of files are bytes, at the top and below, beside what is there already too', async () => {
  const odd = createRepository(join(scratch, 'odd'));
  const at = (base: string, name: string): Buffer => Buffer.from(join(base, name), 'latin1');
  for (const directory of ['caf\xe9', 'caf\xe9/\xff', 'plain']) mkdirSync(at(odd.path, directory));
  const names = ['top\xff', '\x80', 'caf\xe9/in', 'caf\xe9/\xff/\xfe', 'plain/\xc3'];
  for (const name of names) writeFileSync(at(odd.path, name), name);
  odd.commit({ 'ascii.txt': '' });
  for (const there of [[], ['caf\xe9', 'caf\xe9/own'], ['top\xff', 'mine']]) {
    const folder = fresh();
    mkdirSync(folder);
    for (const name of there)
      if (name.startsWith('caf') && !name.includes('/')) mkdirSync(at(folder, name));
      else writeFileSync(at(folder, name), 'mine');
    const workspace = await prepareWorkspace({ folder, clone: cloneRequest(odd.path) }, recordingDeps());
    assert.equal(workspace.state, 'cloned');
    for (const name of names) {
      const expected = there.includes(name) ? 'mine' : name;
      assert.equal(readFileSync(at(folder, name), 'utf8'), Buffer.from(expected).toString(), name);
    }
    for (const name of there) assert.ok(existsSync(at(folder, name)));
  }
});

test('the log says what is cloned, and at which commit, without credentials', async () => {
  const texts = ({ events }: ReturnType<typeof recordingDeps>): readonly string[] =>
    events.flatMap((event) => (event.type === 'message' && event.level === 'info' ? [event.text] : []));
  assert.deepEqual(texts((await clone('')).deps), [
    `cloning ${url}`,
    `cloned ${url}: the branch trunk at ${head}`,
  ]);
  assert.deepEqual(texts((await clone('#refs/tags/v1')).deps), [
    `cloning ${url}, refs/tags/v1`,
    `cloned ${url}: ${first}`,
  ]);
  const { folder } = await clone('#side');
  const again = recordingDeps();
  await prepareWorkspace({ folder, clone: cloneRequest(url) }, again);
  assert.deepEqual(texts(again), [`there is a clone in ${folder} already, at ${side}; it is left as it is`]);
  const refused = recordingDeps();
  const secret = 'http://me:hunter2@127.0.0.1:1/r.git#hunter2-branch';
  await assert.rejects(prepareWorkspace({ folder: fresh(), clone: cloneRequest(secret) }, refused));
  assert.equal(texts(refused)[0], 'cloning http://127.0.0.1:1/r.git, hunter2-branch');
});

test('files that git-lfs keeps are a warning that says what to do, also in folders', async () => {
  const large = createRepository(join(scratch, 'large'));
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1500000\n';
  large.commit({
    '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
    'deep/.gitattributes': 'model* filter=lfs\n',
    'a.bin': pointer,
    'deep/model.txt': pointer,
    'other.txt': '',
  });
  const warnings = async (path: string): Promise<string> => {
    const deps = recordingDeps();
    await prepareWorkspace({ folder: fresh(), clone: cloneRequest(path) }, deps);
    return JSON.stringify(deps.events.filter(({ type }) => type === 'warning'));
  };
  assert.match(
    await warnings(large.path),
    /git-lfs keeps the content of a\.bin, deep\/model\.txt \(3\.0 MB in all\): .*git lfs install --local && git lfs pull/,
  );
  assert.equal(await warnings(origin.path), '[]');
});

test('an empty repository is cloned, and has no commit', async () => {
  const empty = createRepository(join(scratch, 'empty'));
  const folder = fresh();
  const workspace = await prepareWorkspace({ folder, clone: cloneRequest(empty.path) }, recordingDeps());
  assert.deepEqual(workspace, { folder, state: 'cloned' });
});

test('a submodule whose path is no UTF-8 is left out with a warning, and stops nothing', async () => {
  const inner = createRepository(join(scratch, 'utf8-inner'));
  inner.commit({ 'inner.txt': '' });
  const outer = createRepository(join(scratch, 'utf8-outer'));
  outer.git('submodule', 'add', '-q', inner.path, 'plain');
  const place = Buffer.from(join(outer.path, 'caf\xe9'), 'latin1');
  execFileSync(
    'sh',
    ['-c', `cd "$1" && git submodule add -q "$2" "$(printf 'caf\\351')"`, 'sh', outer.path, inner.path],
    {
      env: {
        ...process.env,
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'protocol.file.allow',
        GIT_CONFIG_VALUE_0: 'always',
      },
    },
  );
  assert.ok(existsSync(place));
  outer.commit({ 'outer.txt': '' });
  for (const submodules of [undefined, 1]) {
    const deps = recordingDeps();
    const folder = fresh();
    const clone = { ...cloneRequest(outer.path), ...(submodules === undefined ? {} : { submodules }) };
    await prepareWorkspace({ folder, clone }, deps);
    assert.ok(existsSync(join(folder, 'plain/inner.txt')));
    const warnings = deps.events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));
    assert.deepEqual(warnings, ['the submodule caf\ufffd is left out: its path is no UTF-8']);
  }
});

test('submodules are cloned, theirs too; one that is gone is a warning, or an error when they are asked for', async () => {
  const inner = createRepository(join(scratch, 'inner'));
  inner.commit({ 'inner.txt': '' });
  const middle = createRepository(join(scratch, 'middle'));
  middle.git('submodule', 'add', '-q', '../inner', 'deep down');
  middle.commit({ 'middle.txt': '' });
  const outer = createRepository(join(scratch, 'outer'));
  const gone = createRepository(join(scratch, 'gone'));
  gone.commit({ x: '' });
  for (const name of ['gone', 'middle']) outer.git('submodule', 'add', '-q', join(scratch, name), name);
  outer.commit({ 'outer.txt': '' });
  rmSync(gone.path, { recursive: true });
  const run = async (submodules?: number) => {
    const folder = fresh();
    const deps = recordingDeps();
    const request = cloneRequest(`file://${outer.path}`, submodules === undefined ? {} : { submodules });
    await prepareWorkspace({ folder, clone: request }, deps);
    const has = (path: string): boolean => existsSync(join(folder, path));
    return { has, warnings: deps.events.filter(({ type }) => type === 'warning') };
  };
  const all = await run();
  assert.ok(all.has('middle/middle.txt') && all.has('middle/deep down/inner.txt'));
  assert.equal(all.warnings.length, 1);
  assert.match(JSON.stringify(all.warnings), /submodule gone/);
  const none = await run(0);
  assert.ok(none.has('outer.txt') && !none.has('middle/middle.txt'));
  await assert.rejects(run(10), { code: 'WORKSPACE' });
  outer.git('rm', '-q', '--cached', 'gone');
  outer.git('config', '-f', '.gitmodules', '--remove-section', 'submodule.gone');
  outer.commit({});
  const one = await run(1);
  assert.ok(one.has('middle/middle.txt') && !one.has('middle/deep down/inner.txt'));
});

test('a process that is killed at any moment leaves nothing that is taken for a clone', async () => {
  const big = createRepository(join(scratch, 'big'));
  const files = Object.fromEntries(
    Array.from({ length: 3000 }, (_, i) => [`d${i % 60}/f${i}`, `${i}\n`.repeat(20)]),
  );
  const commit = big.commit(files);
  const folder = fresh();
  const program = [
    `import { prepareWorkspace } from ${JSON.stringify(join(import.meta.dirname, 'prepare.ts'))};`,
    `import { cloneRequest, recordingDeps } from ${JSON.stringify(join(import.meta.dirname, 'testing.ts'))};`,
    `await prepareWorkspace({ folder: ${JSON.stringify(folder)}, clone: cloneRequest('file://${big.path}') }, recordingDeps());`,
  ].join('\n');
  let killed = 0;
  for (const delay of [150, 250, 350, 450]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
    // Wait: it is killed at any moment.
    await Promise.race([sleep(delay), once(child, 'exit')]);
    if (child.exitCode === null) {
      killed += 1;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (!existsSync(join(folder, '.git'))) continue;
    for (const name of Object.keys(files)) assert.ok(existsSync(join(folder, name)), `${delay} ms: ${name}`);
    rmSync(folder, { recursive: true });
  }
  assert.ok(killed > 0);
  const { commit: found } = await prepareWorkspace(
    { folder, clone: cloneRequest(`file://${big.path}`) },
    recordingDeps(),
  );
  assert.equal(found, commit);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.')),
    ['.git'],
  );
  for (const [name, text] of Object.entries(files))
    assert.equal(readFileSync(join(folder, name), 'utf8'), text);
});

test('an aborted clone ends at once, and leaves nothing', async () => {
  const controller = new AbortController();
  const folder = fresh();
  const work = prepareWorkspace({ folder, clone: cloneRequest(url) }, recordingDeps(controller.signal));
  const reason = new Error('stop');
  controller.abort(reason);
  await assert.rejects(work, reason);
  assert.deepEqual(readdirSync(folder), []);
});

test('the clone for a build is shallow, has no history, and goes away', async () => {
  const parent = fresh();
  mkdirSync(join(parent, 'build-clone-old'), { recursive: true });
  const made = await cloneForBuild(cloneRequest(`${url}#side`), parent, recordingDeps());
  assert.ok(existsSync(join(made.folder, 'side.txt')));
  assert.ok(lstatSync(join(made.folder, '.git/shallow')).isFile());
  assert.equal(readdirSync(parent).length, 1);
  made.close();
  assert.deepEqual(readdirSync(parent), []);
  await assert.rejects(cloneForBuild(cloneRequest('file:///nowhere'), parent, recordingDeps()), {
    code: 'WORKSPACE',
    hint: /check the URL/,
  });
  assert.deepEqual(readdirSync(parent), []);
});
