import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { tempDir } from '../core/testing.ts';
import { runAs } from '../sys/run-as.ts';
import { type Dotfiles, dotfilesInside, fetchDotfiles } from './dotfiles.ts';
import { runHooks } from './hooks.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const repository = 'https://host/me/dots';

function machine(t: TestContext) {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const home = join(dir, 'home');
  const ownDir = join(dir, 'own');
  for (const path of [home, ownDir]) mkdirSync(path);
  chownSync(home, 1234, 1235);
  return { dir, ownDir, home };
}

/** Files with their text; what ends in + is executable. */
type Files = Readonly<Record<string, string>>;

async function install(
  { home, ownDir }: ReturnType<typeof machine>,
  files: Files,
  given: Partial<Dotfiles> = {},
) {
  const account = { uid: 1234, gid: 1235, groups: [1235], name: 'dev', home, shell: '/bin/sh' };
  const events: Event[] = [];
  const emit = (event: Event) => events.push(event);
  const { signal } = new AbortController();
  const clones: string[] = [];
  const clone = async (directory: string): Promise<void> => {
    clones.push(directory);
    for (const [name, text] of Object.entries({ ...files, '.git/HEAD': 'x' })) {
      const path = join(directory, name.replace(/\+$/, ''));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { mode: name.endsWith('+') ? 0o755 : 0o644 });
    }
  };
  const deps = { ownDir, account, emit, signal, clone };
  const hook = await fetchDotfiles({ repository, target: '~/dotfiles', ...given }, deps);
  assert.ok(hook);
  const env = { PATH: process.env.PATH ?? '', HOME: home };
  await runHooks([hook], { runAs, account, env, cwd: '/', emit, signal });
  const texts = events.map((event) => ('text' in event ? event.text : event.type));
  return { texts, clones, all: texts.join('\n') };
}

test('the first of the usual scripts is run, by the user and in the dotfiles', { skip }, async (t) => {
  const order =
    'install.sh install bootstrap.sh bootstrap script/bootstrap setup.sh setup script/setup'.split(' ');
  for (const [i, name] of order.entries()) {
    const on = machine(t);
    const scripts = order.slice(i).map((one) => [one, `echo ${one} in $PWD as $(id -u)`]);
    const { texts } = await install(on, { ...Object.fromEntries(scripts), '.rc': 'x' });
    const target = join(on.home, 'dotfiles');
    assert.deepEqual(texts.slice(1), [
      `dotfiles: running ./${name} in ${target}`,
      `dotfiles: ${name} in ${target} as 1234`,
    ]);
    assert.ok(statSync(join(target, name)).mode & 0o100, 'it is executable now');
    assert.equal(statSync(join(target, '.git/HEAD')).uid, 1234);
    assert.ok(!existsSync(join(on.home, '.rc')));
    const left = readdirSync(on.ownDir).map((one) => readdirSync(join(on.ownDir, one)));
    assert.deepEqual(left, [[]], 'nothing of the clone is left where it was');
  }
});

test('without a script what begins with a dot is linked from the home', { skip }, async (t) => {
  const on = machine(t);
  mkdirSync(join(on.home, '.d/kept'), { recursive: true });
  writeFileSync(join(on.home, '.rc'), 'old');
  chownSync(join(on.home, '.rc'), 1234, 1235);
  // A directory of a usual name is no script.
  const { all } = await install(on, { '.rc': 'new', '.a b': 'x', '.d/y': 'x', README: 'x', 'setup/x': 'x' });
  for (const name of ['.rc', '.a b'])
    assert.equal(readlinkSync(join(on.home, name)), join(on.home, 'dotfiles', name));
  assert.deepEqual(readdirSync(on.home).sort(), ['.a b', '.d', '.rc', 'dotfiles']);
  assert.ok(existsSync(join(on.home, '.d/kept')), 'a directory that is there stays');
  assert.match(all, /dotfiles of https:\/\/host\/me\/dots exited with code 1/);
});

test('a command, as it is named', { skip }, async (t) => {
  const on = machine(t);
  const files = { 'my/in stall.sh': 'echo mine', 'install.sh': 'echo other' };
  const target = '$HOME/a/dots';
  const { texts } = await install(on, files, { target, installCommand: 'my/in stall.sh' });
  assert.ok(texts.includes('dotfiles: mine'), texts.join('\n'));
  assert.ok(!texts.includes('dotfiles: other'));
  // Where something is already, nothing is cloned.
  for (const installCommand of ['~/a/dots/my/in stall.sh', `${on.home}/a/dots/my/in stall.sh`]) {
    const again = await install(on, {}, { target: 'a/dots', installCommand });
    assert.ok(again.texts.includes('dotfiles: mine'), again.all);
    assert.deepEqual(again.clones, []);
  }
  const { all } = await install(on, files, { target, installCommand: 'no; echo ran' });
  assert.match(all, /there is no file no; echo ran in .*\n.* exited with code 126/);
});

test('a place that the user cannot write is a warning', { skip }, async (t) => {
  const on = machine(t);
  const { all } = await install(on, { 'install.sh': 'echo ran' }, { target: join(on.dir, 'closed/dots') });
  assert.match(all, /dotfiles of https:\/\/host\/me\/dots exited with code/);
  assert.doesNotMatch(all, /: ran/);
  assert.ok(!existsSync(join(on.dir, 'closed')));
});

test('a clone that fails is a warning, and leaves nothing; a stop is none', async (t) => {
  const { ownDir, home } = machine(t);
  const account = { uid: 0, gid: 0, groups: [0], name: 'root', home, shell: '/bin/sh' };
  const events: Event[] = [];
  const stop = new AbortController();
  const deps = { ownDir, account, emit: (event: Event) => events.push(event), signal: stop.signal };
  const request = { repository, target: '~/dots' };
  const clone = async (directory: string) => {
    mkdirSync(directory);
    throw new AppError('AUTH', 'the server wants a login', { hint: 'give one' });
  };
  assert.equal(await fetchDotfiles(request, { ...deps, clone }), undefined);
  assert.deepEqual(events, [
    {
      type: 'warning',
      code: 'AUTH',
      text: `the server wants a login; the start goes on without the dotfiles ${repository}`,
      hint: 'give one',
    },
  ]);
  assert.deepEqual(readdirSync(ownDir), []);
  const stopping = async () => {
    stop.abort(new Error('stopped'));
    throw new Error('git was ended');
  };
  await assert.rejects(fetchDotfiles(request, { ...deps, clone: stopping }), /stopped/);
  assert.equal(events.length, 1);
});

test('git in the container clones them with the login, which stays nowhere', { skip }, async (t) => {
  const { dir, home } = machine(t);
  const source = join(dir, 'source');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { encoding: 'utf8' });
  git('init', '--quiet', '--initial-branch=main', source);
  git('-C', source, 'switch', '--quiet', '--create', 'other');
  writeFileSync(join(source, 'install.sh'), 'env > ~/env; git -C ~/dots config --list > ~/config', {
    mode: 0o755,
  });
  git('-C', source, 'add', '.');
  git('-C', source, 'commit', '--quiet', '--message=x');
  writeFileSync(
    join(home, '.gitconfig'),
    `[safe]\ndirectory = *\n[url "file://${source}"]\ninsteadOf = https://me:swordfish@host/dots\n`,
  );
  const account = { uid: 1234, gid: 1235, groups: [1235], name: 'dev', home, shell: '/bin/sh' };
  const env = { PATH: process.env.PATH ?? '', HOME: home };
  const deps = { runAs, account, env, cwd: '/', emit: () => {}, signal: t.signal };
  const hook = dotfilesInside(
    { repository, target: '~/dots' },
    'https://me:swordfish@host/dots#other',
    account,
  );
  const done: string[] = [];
  const run = () => runHooks([hook], { ...deps, onDone: (name) => void done.push(name) });
  assert.equal(await run(), undefined);
  assert.deepEqual(done, ['dotfiles']);
  assert.doesNotMatch(JSON.stringify(hook.hooks), /swordfish/);
  assert.match(readFileSync(join(home, 'env'), 'utf8'), /^HOME=/m);
  for (const file of ['env', 'dots/.git/config'])
    assert.doesNotMatch(readFileSync(join(home, file), 'utf8'), /swordfish/);
  assert.match(readFileSync(join(home, 'config'), 'utf8'), /^remote\.origin\.url=https:\/\/host\/dots$/m);
  // Without git it is no failure of the others, and is tried again.
  const { dir: empty, home: other } = machine(t);
  assert.equal(
    await runHooks([hook], {
      ...deps,
      env: { PATH: empty, HOME: other },
      account: { ...account, home: other },
    }),
    undefined,
  );
});
