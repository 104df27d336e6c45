import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EXIT_CODES } from '../src/core/error.ts';
import { useContainers, WORKSPACE } from './support/container.ts';
import { createSandbox, type Sandbox, type SandboxOptions, type SandboxResult } from './support/sandbox.ts';

/*
 * Files that a repository names as links, and commands that read them: what lies outside of the repository is in no output,
 * no error and no layer. Properties of devcontainer.json and Compose files have their table beside the code.
 */

const containers = useContainers();
const CANARY = 'CANARY-0815';
const { OUTSIDE } = EXIT_CODES;

interface Reader {
  readonly name: string;
  /** Where the link lies in the context. */
  readonly link: string;
  readonly args: (box: Sandbox) => readonly string[];
  readonly options?: (box: Sandbox) => SandboxOptions;
}

const DOCKERFILE = { Dockerfile: 'FROM scratch\nCOPY . /all/\n', f: 'x' };
const plain = (box: Sandbox): readonly string[] => [
  `--output=${box.path('out')}`,
  `--layer-cache-dir=${box.cache}`,
];

const READERS: readonly Reader[] = [
  { name: 'build: Dockerfile', link: 'Dockerfile', args: plain },
  {
    name: 'build: a Dockerfile that is named',
    link: 'sub/D',
    args: (box) => [...plain(box), `--file=${join(box.context, 'sub/D')}`],
  },
  { name: 'build: .dockerignore', link: '.dockerignore', args: plain },
  { name: 'build: the ignore file of the Dockerfile', link: 'Dockerfile.dockerignore', args: plain },
  {
    name: 'build: .dockerignore of a named context',
    link: 'other/.dockerignore',
    args: (box) => [
      ...plain(box),
      `--build-context=other=${join(box.context, 'other')}`,
      `--file=${join(box.context, 'Named')}`,
    ],
  },
  {
    name: 'probe: Dockerfile',
    link: 'Dockerfile',
    args: (box) => [`--layer-cache-dir=${box.cache}`],
    options: () => ({ command: 'probe' }),
  },
  {
    name: 'warm: Dockerfile',
    link: 'Dockerfile',
    args: (box) => [`--cache-dir=${box.path('bases')}`],
    options: (box) => ({ command: 'warm', context: `--dockerfile=${join(box.context, 'Dockerfile')}` }),
  },
  {
    name: 'build --devcontainer: devcontainer.json',
    link: '.devcontainer/devcontainer.json',
    args: (box) => [...plain(box), '--devcontainer'],
  },
  {
    name: 'build --devcontainer: Dockerfile',
    link: '.devcontainer/Dockerfile',
    args: (box) => {
      box.write({
        '.devcontainer/devcontainer.json': '{"build":{"dockerfile":"Dockerfile","context":".."}}',
      });
      return [...plain(box), '--devcontainer'];
    },
  },
  {
    name: 'read-configuration: devcontainer.json',
    link: '.devcontainer.json',
    args: () => [],
    options: (box) => ({ command: 'read-configuration', context: `--workspace-folder=${box.context}` }),
  },
];

/** Ways of a link to a target; each makes it. */
const WAYS: Readonly<Record<string, (target: string, link: string, box: Sandbox) => void>> = {
  directly: (target, link) => symlinkSync(target, link),
  'by a chain': (target, link, box) => {
    symlinkSync(target, join(box.context, 'middle'));
    symlinkSync(join(box.context, 'middle'), link);
  },
  'through a folder': (target, link, box) => {
    symlinkSync(dirname(target), join(box.context, 'folder'));
    symlinkSync(join(box.context, 'folder', 'secret'), link);
  },
};

function prepare(t: TestContext, { link }: Reader, way: string, target: string): Sandbox {
  const box = createSandbox({
    ...DOCKERFILE,
    Named: 'FROM scratch\nCOPY --from=other . /o/\n',
    'other/x': '',
  });
  t.after(() => box.close());
  const at = join(box.context, link);
  mkdirSync(dirname(at), { recursive: true });
  rmSync(at, { force: true });
  WAYS[way]!(target === '' ? box.path('secret') : target, at, box);
  writeFileSync(box.path('secret'), `root:${CANARY}:1\n[a\n`);
  return box;
}

function assertUntold(box: Sandbox, { output }: SandboxResult): void {
  assert.doesNotMatch(output, new RegExp(CANARY));
  // It follows no links, and does not mind what a build that has ended still deletes.
  const told = spawnSync('grep', ['-rl', '--devices=skip', '--exclude=secret', CANARY, box.dir]);
  assert.equal(told.stdout.toString(), '');
}

for (const reader of READERS) {
  for (const way of Object.keys(WAYS)) {
    test(`${reader.name}: a link that leads out ${way}`, async (t) => {
      const box = prepare(t, reader, way, '');
      const result = await box.build(reader.args(box), reader.options?.(box) ?? {});
      assert.equal(result.code, OUTSIDE.exit, result.output);
      assert.match(result.stderr, /outside of the repository .*\n.*hint: .*--allow-outside/s);
      assertUntold(box, result);
    });
  }

  test(`${reader.name}: devices, processes and missing files outside`, async (t) => {
    for (const target of ['/dev/zero', '/proc/self/environ', '/proc/self/fd/0', '/none/at/all']) {
      const box = prepare(t, reader, 'directly', target);
      const result = await box.build(reader.args(box), reader.options?.(box) ?? {});
      assert.equal(result.code, OUTSIDE.exit, `${target}\n${result.output}`);
    }
  });
}

test('a link inside of the repository is followed, and --allow-outside lets a directory in', async (t) => {
  const box = createSandbox({ f: 'x', 'real/Dockerfile': 'FROM scratch\nCOPY f /\n' });
  t.after(() => box.close());
  symlinkSync('real/Dockerfile', join(box.context, 'Dockerfile'));
  assert.equal((await box.build([`--output=${box.path('one')}`])).code, 0);
  mkdirSync(box.path('shared'));
  writeFileSync(box.path('shared/Dockerfile'), 'FROM scratch\nCOPY f /g\n');
  rmSync(join(box.context, 'Dockerfile'));
  symlinkSync('../shared/Dockerfile', join(box.context, 'Dockerfile'));
  assert.equal((await box.build([])).code, OUTSIDE.exit);
  const flag = await box.build([`--allow-outside=${box.path('shared')}`, `--output=${box.path('two')}`]);
  assert.equal(flag.code, 0, flag.output);
  assert.equal(readFileSync(box.path('two/g'), 'utf8'), 'x');
  const variable = await box.build([], { env: { ENVBUILDER_ALLOW_OUTSIDE: `/none,${box.path('shared')}` } });
  assert.equal(variable.code, 0, variable.output);
});

test('a folder of a git repository may use what lies around it', async (t) => {
  const box = createSandbox({
    '.git/HEAD': 'ref: refs/heads/main\n',
    'shared/Dockerfile': 'FROM scratch\nCOPY f /\n',
    'app/f': 'x',
  });
  t.after(() => box.close());
  symlinkSync('../shared/Dockerfile', join(box.context, 'app/Dockerfile'));
  const result = await box.build([], { context: join(box.context, 'app') });
  assert.equal(result.code, 0, result.output);
});

test('what the command line names may lie anywhere', async (t) => {
  const box = createSandbox({ f: 'x' });
  t.after(() => box.close());
  mkdirSync(box.path('elsewhere'));
  writeFileSync(box.path('elsewhere/D'), 'FROM scratch\nCOPY f /\n');
  symlinkSync(box.path('elsewhere/D'), box.path('link'));
  for (const path of [box.path('elsewhere/D'), box.path('link')]) {
    const result = await box.build([`--file=${path}`]);
    assert.equal(result.code, 0, result.output);
  }
});

test('a start: files and contexts of its workspace that lead out', async (t) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const starts: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ['Dockerfile', '/secret/file', { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile' }],
    ['sub', '/secret', { ENVBUILDER_DOCKERFILE_PATH: 'D', ENVBUILDER_BUILD_CONTEXT_PATH: 'sub' }],
    ['.devcontainer.json', '/secret/file', {}],
  ];
  for (const [link, target, env] of starts) {
    const secret = containers.directory({ file: `root:${CANARY}:1\n` });
    const workspace = containers.directory({ D: 'FROM scratch\nCOPY . /all/\n' });
    symlinkSync(target, join(workspace, link));
    const { code, stdout, stderr } = await containers.run({
      env,
      docker: [`--volume=${secret}:/secret`, `--volume=${workspace}:${WORKSPACE}`],
    });
    assert.equal(code, OUTSIDE.exit, stderr);
    assert.doesNotMatch(stdout.toString() + stderr, new RegExp(CANARY));
  }
});
