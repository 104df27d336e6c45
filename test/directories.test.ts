import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { EXIT_CODES } from '../src/core/error.ts';
import { createSandbox, type Sandbox, type SandboxResult } from './support/sandbox.ts';

/*
 * Every option and variable that names a directory, and what cannot be one: the command ends at once and says so. Where
 * nobody but the command itself needs the directory, it goes on without.
 */

type Run = (box: Sandbox, path: string) => Promise<SandboxResult>;

const build =
  (option: string): Run =>
  (box, path) =>
    box.build([`--${option}=${path}`]);
const { CACHE_DIR, OUTPUT, WORKSPACE, CACHE_MISS } = EXIT_CODES;

/** What is done with a directory, and the exit code for one that cannot be made, and for what is a file. */
const USES: Readonly<Record<string, { readonly run: Run; readonly codes: readonly [number, number] }>> = {
  'build --layer-cache-dir': { run: build('layer-cache-dir'), codes: [CACHE_DIR.exit, CACHE_DIR.exit] },
  'build --base-image-cache-dir': { run: build('base-image-cache-dir'), codes: [0, CACHE_DIR.exit] },
  'build --work-dir': { run: build('work-dir'), codes: [OUTPUT.exit, OUTPUT.exit] },
  'build --state-dir': { run: build('state-dir'), codes: [OUTPUT.exit, OUTPUT.exit] },
  'build --output': { run: build('output'), codes: [OUTPUT.exit, OUTPUT.exit] },
  'build XDG_CACHE_HOME': {
    run: (box, path) => box.build([], { env: { XDG_CACHE_HOME: path } }),
    codes: [0, 0],
  },
  'build TMPDIR': { run: (box, path) => box.build([], { env: { TMPDIR: path } }), codes: [0, 0] },
  'probe --layer-cache-dir': {
    run: (box, path) => box.build([`--layer-cache-dir=${path}`], { command: 'probe' }),
    codes: [CACHE_MISS.exit, CACHE_DIR.exit],
  },
  'warm --cache-dir': {
    run: (box, path) => box.build([`--cache-dir=${path}`], { command: 'warm', context: '127.0.0.1:1/x' }),
    codes: [OUTPUT.exit, OUTPUT.exit],
  },
  'registry serve --dir': {
    run: (box, path) =>
      box.build([`--dir=${path}`], { command: 'registry serve', context: '--addr=127.0.0.1:0' }),
    codes: [CACHE_DIR.exit, CACHE_DIR.exit],
  },
  'start ENVBUILDER_WORKSPACE_FOLDER': {
    run: (box, path) =>
      box.build([], {
        command: 'start',
        env: { ENVBUILDER_WORKSPACE_FOLDER: path, ENVBUILDER_GIT_URL: box.path('none') },
      }),
    codes: [WORKSPACE.exit, WORKSPACE.exit],
  },
};

for (const [name, { run, codes }] of Object.entries(USES)) {
  test(`${name}: a directory that the kernel does not make`, async (t) => {
    const box = sandbox(t);
    for (const path of ['/proc/x', '/proc/x/y']) assertEnded(await run(box, path), path, codes[0]);
  });

  test(`${name}: a file, a device, and what would lie in one`, async (t) => {
    const box = sandbox(t);
    writeFileSync(box.path('file'), 'mine');
    for (const path of [box.path('file'), box.path('file/x'), '/dev/null', '/dev/null/x/y'])
      assertEnded(await run(box, path), path, codes[1]);
  });
}

test('a layer cache that can only be read is used where it is one, and an error where it is not', async (t) => {
  const box = sandbox(t);
  const args = [`--layer-cache-dir=${box.cache}`];
  assert.equal((await box.build(args)).code, 0);
  const under = ['unshare', '--mount', '/bin/sh', '-ec', 'mount --bind -r "$0" "$0"; exec "$@"', box.cache];
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
  } catch {
    return t.skip('needs the right to mount');
  }
  const cached = await box.build([...args, '--verbose'], { under });
  assert.equal(cached.code, 0, cached.output);
  assert.match(cached.output, /1 from the cache/);
  box.write({ f: 'changed' });
  const built = await box.build(args, { under });
  assert.equal(built.code, 0, built.output);
  assert.match(built.stderr, /warning: .*read-only/);
  execFileSync('mkdir', [box.path('empty')]);
  const empty = await box.build([`--layer-cache-dir=${box.path('empty')}`], {
    under: [...under.slice(0, -1), box.path('empty')],
  });
  assertEnded(empty, box.path('empty'), CACHE_DIR.exit);
  assert.deepEqual(readdirSync(box.path('empty')), []);
});

function sandbox(t: TestContext): Sandbox {
  const box = createSandbox({ Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' });
  t.after(() => box.close());
  return box;
}

function assertEnded({ code, output, stderr }: SandboxResult, path: string, expected: number): void {
  assert.equal(code, expected, `${path}\n${output}`);
  assert.doesNotMatch(stderr, /defect|\n {4}at /);
  if (code !== 0 && code !== CACHE_MISS.exit) assert.ok(stderr.includes(path), stderr);
}
