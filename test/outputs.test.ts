import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { optionsOf } from '../src/cli/options/table.ts';
import { COMMAND_NAMES } from '../src/cli/options/types.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { useContainers } from './support/container.ts';
import { commandLine } from './support/envbuilder.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

/*
 * Every option that names a file to write: what is not a regular file is written to and never replaced, and links are
 * followed.
 */

const containers = useContainers();

interface OutputOption {
  readonly args: (path: string) => string;
  /** What is written begins so. */
  readonly begins: RegExp;
}

/** Of `envbuilder build`. */
const OF_BUILD: Readonly<Record<string, OutputOption>> = {
  'metadata-file': { args: (path) => `--metadata-file=${path}`, begins: /^\{\n {2}"containerimage.digest"/ },
  output: { args: (path) => `--output=type=docker,dest=${path}`, begins: /^[0-9a-f]{64}\.tar\0/ },
};

/** Of a start. */
const OF_START: Readonly<Record<string, { readonly begins: RegExp; readonly error: number }>> = {
  'export-env-file': { begins: /^OF_CONTAINER=1$/m, error: EXIT_CODES.START_FAILED.exit },
  'post-start-script-path': { begins: /^#!\/bin\/sh\n\necho post/m, error: EXIT_CODES.START_FAILED.exit },
};

/** What tells its form by the ending of its name, which no device has: a link to one may. */
const BY_ENDING = ['report'];

/** What a run does not fail for, whatever becomes of it. */
const BESIDES = ['termination-message'];

/** Of `k8s`: directories. */
const OF_MANIFESTS = ['helm', 'kustomize'];

test('the tables have every option that names a file to write', () => {
  const writing = COMMAND_NAMES.flatMap((command) => optionsOf(command)).filter(({ text }) =>
    /^Write /.test(text),
  );
  const known = [
    ...Object.keys(OF_BUILD),
    ...Object.keys(OF_START),
    ...BY_ENDING,
    ...BESIDES,
    ...OF_MANIFESTS,
  ];
  assert.deepEqual([...new Set(writing.map(({ name }) => name))].sort(), known.sort());
});

function sandbox(t: TestContext): Sandbox {
  const box = createSandbox({ Dockerfile: 'FROM scratch\nCOPY file /\n', file: 'x' });
  t.after(() => box.close());
  return box;
}

for (const [name, { args, begins }] of Object.entries(OF_BUILD)) {
  test(`--${name}: a full device is an error and stays a device`, async (t) => {
    const box = sandbox(t);
    for (const path of ['/dev/full', box.path('link')]) {
      if (path !== '/dev/full') symlinkSync('/dev/full', path);
      const result = await box.build([args(path)]);
      assert.equal(result.code, EXIT_CODES.DISK_FULL.exit, result.output);
      assert.match(result.stderr, /no space left/);
      assert.ok(lstatSync('/dev/full').isCharacterDevice());
    }
    assert.equal((await box.build([args('/dev/null')])).code, 0);
    assert.ok(lstatSync('/dev/null').isCharacterDevice());
  });

  test(`--${name}: a named pipe gets it`, async (t) => {
    const box = sandbox(t);
    execFileSync('mkfifo', [box.path('fifo')]);
    const reader = spawn('cat', [box.path('fifo')], { stdio: ['ignore', 'pipe', 'inherit'] });
    let read = '';
    reader.stdout.setEncoding('latin1').on('data', (text: string) => (read += text));
    const closed = once(reader, 'close');
    const result = await box.build([args(box.path('fifo'))]);
    assert.equal(result.code, 0, result.output);
    await closed;
    assert.match(read, begins);
    assert.ok(lstatSync(box.path('fifo')).isFIFO());
  });

  test(`--${name}: a named pipe that nobody reads is an error`, async (t) => {
    const box = sandbox(t);
    execFileSync('mkfifo', [box.path('fifo')]);
    const result = await box.build([args(box.path('fifo'))]);
    assert.equal(result.code, EXIT_CODES.OUTPUT.exit, result.output);
    assert.match(result.stderr, /nobody reads/);
  });

  for (const path of ['/dev/stdout', '/proc/self/fd/1', '/dev/fd/1']) {
    test(`--${name}: ${path} is standard output`, async (t) => {
      const result = await sandbox(t).build([args(path)]);
      assert.equal(result.code, 0, result.output);
      assert.match(result.stdout, begins);
      assert.match(result.stdout, /sha256:[0-9a-f]{64}\n$/);
    });
  }

  test(`--${name}: links are followed, files replaced as a whole, directories refused`, async (t) => {
    const box = sandbox(t);
    mkdirSync(box.path('d'));
    writeFileSync(box.path('d/file'), 'old');
    symlinkSync('d/file', box.path('link'));
    symlinkSync('d/new', box.path('dangling'));
    const before = lstatSync(box.path('d/file')).ino;
    for (const name of ['link', 'dangling']) {
      const result = await box.build([args(box.path(name))]);
      assert.equal(result.code, 0, result.output);
      assert.ok(lstatSync(box.path(name)).isSymbolicLink());
    }
    for (const name of ['d/file', 'd/new']) assert.match(readFileSync(box.path(name), 'latin1'), begins);
    assert.notEqual(lstatSync(box.path('d/file')).ino, before);
    for (const path of [box.path('d'), box.path('none/file'), '/proc/none', '/dev/null/x']) {
      const result = await box.build([args(path)]);
      assert.equal(result.code, EXIT_CODES.OUTPUT.exit, result.output);
      assert.match(result.stderr, new RegExp(`cannot write .*${path}`));
    }
    box.assertClean();
  });
}

for (const name of BESIDES) {
  test(`--${name}: devices stay, links are followed, files replaced, and what cannot be written is a warning`, async (t) => {
    const box = sandbox(t);
    mkdirSync(box.path('d'));
    writeFileSync(box.path('d/file'), 'old');
    symlinkSync('d/file', box.path('link'));
    for (const path of ['/dev/full', box.path('d'), box.path('none/file'), '/proc/none', '/dev/null/x']) {
      const result = await box.build([`--${name}=${path}`]);
      assert.equal(result.code, 0, result.output);
      assert.match(result.stderr, new RegExp(`cannot write the termination message ${path}`));
    }
    assert.ok(lstatSync('/dev/full').isCharacterDevice());
    const result = await box.build([`--${name}=${box.path('link')}`]);
    assert.equal(result.code, 0, result.output);
    assert.ok(lstatSync(box.path('link')).isSymbolicLink());
    assert.match(readFileSync(box.path('d/file'), 'utf8'), /^\{.*\}\n?$/);
    box.assertClean();
  });
}

for (const name of BY_ENDING) {
  test(`--${name}: devices stay, links are followed, files replaced as a whole, directories refused`, async (t) => {
    const box = sandbox(t);
    symlinkSync('/dev/full', box.path('full.json'));
    const full = await box.build([`--${name}=${box.path('full.json')}`]);
    assert.equal(full.code, EXIT_CODES.DISK_FULL.exit, full.output);
    assert.ok(lstatSync('/dev/full').isCharacterDevice());
    writeFileSync(box.path('file'), 'old');
    symlinkSync('file', box.path('link.html'));
    const before = lstatSync(box.path('file')).ino;
    const built = await box.build([`--${name}=${box.path('link.html')}`]);
    assert.equal(built.code, 0, built.output);
    assert.ok(lstatSync(box.path('link.html')).isSymbolicLink());
    assert.match(readFileSync(box.path('file'), 'utf8'), /^<!doctype html>/i);
    assert.notEqual(lstatSync(box.path('file')).ino, before);
    mkdirSync(box.path('d.json'));
    for (const path of [box.path('d.json'), box.path('none/r.json'), '/proc/none.json']) {
      const result = await box.build([`--${name}=${path}`]);
      assert.equal(result.code, EXIT_CODES.OUTPUT.exit, result.output);
      assert.match(result.stderr, new RegExp(`cannot write .*${path}`));
    }
    box.assertClean();
  });
}

test('directories that outputs are written to: what is none is an error at once', async (t) => {
  const box = sandbox(t);
  for (const dest of ['/dev/full', '/dev/null', '/dev/null/x', '/proc/none']) {
    for (const type of ['rootfs', 'oci']) {
      const result = await box.build([`--output=type=${type},dest=${dest}`]);
      assert.equal(result.code, EXIT_CODES.OUTPUT.exit, result.output);
    }
    for (const option of OF_MANIFESTS) {
      const { status, stderr } = spawnSync(commandLine, ['k8s', `--${option}=${dest}`]);
      assert.equal(status, EXIT_CODES.OUTPUT.exit, stderr.toString());
    }
  }
  assert.ok(lstatSync('/dev/full').isCharacterDevice());
});

test('standard output that is full is an error', () => {
  const full = execFileSync('/bin/sh', ['-c', './envbuilder k8s 2>&1 >/dev/full || echo "exit $?"'], {
    encoding: 'utf8',
  });
  assert.match(full, /cannot write to standard output/);
  assert.match(full, new RegExp(`exit ${EXIT_CODES.DISK_FULL.exit}`));
});

for (const [name, { begins }] of Object.entries(OF_START)) {
  const variable = `ENVBUILDER_${name.toUpperCase().replaceAll('-', '_')}`;
  const run = (path: string, script: string) =>
    containers.run({
      files: {
        '.devcontainer.json': JSON.stringify({
          image: `${containers.services.registry!.host}/busybox:1`,
          containerEnv: { OF_CONTAINER: '1' },
          postStartCommand: 'echo post',
        }),
      },
      env: { [variable]: path, ENVBUILDER_INIT_SCRIPT: script },
    });

  test(`${variable}: devices are written to, links followed`, async (t) => {
    if (containers.missing !== undefined) return t.skip(containers.missing);
    const full = await run('/dev/full', 'true');
    assert.equal(full.code, EXIT_CODES.DISK_FULL.exit, full.stderr);
    const out = await run('/dev/stdout', 'test -c /dev/full && test -L /dev/stdout && echo ended');
    assert.equal(out.code, 0, out.stderr);
    assert.match(out.stdout.toString(), begins);
    assert.match(out.stdout.toString(), /^ended$/m);
    const file = await run('/deep/er/file', 'cat /deep/er/file');
    assert.match(file.stdout.toString(), begins, file.stderr);
  });
}
