import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { EXIT_CODES } from '../src/core/error.ts';
import type { CliResult } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import { describeImage, readOciLayout } from './support/read-image.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

/** A port that nothing listens on. */
const nowhere = '127.0.0.1:1';

function sandbox(t: TestContext, files: Readonly<Record<string, string>>): Sandbox {
  const made = createSandbox(files);
  t.after(() => made.close());
  return made;
}

/** A sandbox with `FROM busybox` and these lines as its Dockerfile; undefined where there is no registry. */
function withBase(t: TestContext, lines: readonly string[]): Sandbox | undefined {
  const { services } = environment;
  const missing = missingService(services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const text = [`FROM ${services.registry!.host}/busybox:1`, ...lines, ''].join('\n');
  return sandbox(t, { Dockerfile: text });
}

/** The outputs that a failing build is asked for; none of them may be there afterwards. */
function outputs(box: Sandbox): readonly string[] {
  return [
    `--output=type=oci,dest=${box.path('layout')}`,
    `--output=${box.path('rootfs')}`,
    `--output=type=docker,dest=${box.path('image.tar')}`,
    `--metadata-file=${box.path('metadata.json')}`,
  ];
}

function assertFailed(box: Sandbox, result: CliResult, code: number, ...patterns: readonly RegExp[]): void {
  assert.equal(result.code, code, result.output);
  for (const pattern of patterns) assert.match(result.stderr, pattern);
  assert.match(result.stderr, /^error: /m);
  assert.doesNotMatch(result.stderr, /defect in envbuilder|\n\s+at /);
  assert.equal(result.stdout, '');
  for (const name of ['layout', 'rootfs', 'image.tar', 'metadata.json'])
    assert.ok(!existsSync(box.path(name)), `${name} is left`);
  box.assertClean();
}

function assertBuilt(box: Sandbox, result: CliResult): void {
  assert.equal(result.code, 0, result.output);
  assert.match(result.stdout, /^sha256:[0-9a-f]{64}\n$/);
  box.assertClean();
}

interface Refusal {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly context?: string;
  readonly code: number;
  readonly patterns: readonly RegExp[];
}

const refusals: readonly Refusal[] = [
  {
    name: 'the Dockerfile is missing',
    files: { 'other.txt': 'x' },
    code: 4,
    patterns: [/error: .*context\/Dockerfile/, /hint: /],
  },
  {
    name: 'the context directory is missing',
    files: {},
    context: '/nonexistent/context',
    code: 5,
    patterns: [/\/nonexistent\/context/, /hint: /],
  },
  {
    name: 'the context is a file',
    files: {},
    context: '/etc/passwd',
    code: 5,
    patterns: [/\/etc\/passwd/],
  },
  {
    name: 'the target is no stage',
    files: { Dockerfile: 'FROM scratch AS builder\nCOPY f /\n', f: '' },
    args: ['--target=buidler'],
    code: 4,
    patterns: [/buidler/, /builder/],
  },
  {
    name: 'stages depend on each other',
    files: {
      Dockerfile: 'FROM scratch AS one\nCOPY --from=two /f /\nFROM scratch AS two\nCOPY --from=one /f /\n',
    },
    code: 4,
    patterns: [/Dockerfile:2:1/, /stage two comes after stage one/],
  },
  {
    name: 'FROM names a malformed reference',
    files: { Dockerfile: '# a comment\nFROM Upper/Case:tag\nRUN true\n' },
    code: 6,
    patterns: [/Upper\/Case/, /Dockerfile:2/],
  },
  {
    name: 'an instruction is unknown',
    files: { Dockerfile: 'FROM scratch\nCOPPY f /\n' },
    code: 4,
    patterns: [/Dockerfile:2:1/, /COPPY f \//, /\^/, /COPY/],
  },
  {
    name: 'a flag of an instruction is unknown',
    files: { Dockerfile: 'FROM scratch\nCOPY --chwon=1 f /\n', f: '' },
    code: 4,
    patterns: [/Dockerfile:2:6/, /\^/, /--chown/],
  },
  {
    name: 'COPY names a file that is not there',
    files: { Dockerfile: 'FROM scratch\nCOPY packge.json /\n', 'package.json': '{}' },
    code: 5,
    patterns: [/packge\.json/, /Dockerfile:2/, /hint: .*package\.json/],
  },
  {
    name: 'the registry of the base cannot be reached',
    files: { Dockerfile: `FROM ${nowhere}/base:1\nRUN true\n` },
    code: 7,
    patterns: [/127\.0\.0\.1:1/, /Dockerfile:1/],
  },
  {
    name: 'an option is unknown',
    files: { Dockerfile: 'FROM scratch\n' },
    args: ['--taget=x'],
    code: 2,
    patterns: [/--taget/, /hint: .*--target/],
  },
];

for (const { name, files, args = [], context, code, patterns } of refusals) {
  test(`${name}: exit ${code}`, async (t) => {
    const box = sandbox(t, files);
    const result = await box.build([...outputs(box), ...args], context === undefined ? {} : { context });
    assertFailed(box, result, code, ...patterns);
  });
}

test('the caret stands below what is wrong', async (t) => {
  const box = sandbox(t, { Dockerfile: 'FROM scratch\nCOPY --chwon=1 f /\n', f: '' });
  const lines = (await box.build()).stderr.split('\n');
  const at = lines.findIndex((line) => line.includes('COPY --chwon=1 f /'));
  assert.ok(at >= 0, lines.join('\n'));
  assert.equal(lines[at + 1]?.indexOf('^'), lines[at]?.indexOf('--chwon'), lines.join('\n'));
});

test('a base image that does not exist: exit 6', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const box = sandbox(t, { Dockerfile: `FROM ${services.registry!.host}/busybox:nope\nRUN true\n` });
  const result = await box.build(outputs(box));
  assertFailed(box, result, 6, /busybox:nope/, /Dockerfile:1/);
});

describe('a registry cache that cannot be reached', { concurrency: true }, () => {
  const cacheRepo = `--cache-repo=${nowhere}/cache`;

  test('is a warning, and the build goes on', async (t) => {
    const box = withBase(t, ['RUN echo made > /made']);
    if (!box) return;
    const result = await box.build([cacheRepo, `--output=${box.path('rootfs')}`]);
    assertBuilt(box, result);
    assert.match(result.stderr, /warning: .*127\.0\.0\.1:1/);
    assert.equal(readFileSync(box.path('rootfs/made'), 'utf8'), 'made\n');
  });

  test('is a warning for a push too', async (t) => {
    const box = withBase(t, ['RUN echo made > /made']);
    if (box) assertBuilt(box, await box.build([cacheRepo, '--push']));
  });

  test('is exit 12 when a failed push is to be an error', async (t) => {
    const box = withBase(t, ['RUN echo made > /made']);
    if (!box) return;
    const result = await box.build([cacheRepo, '--push', '--exit-on-push-failure']);
    assert.equal(result.code, 12, result.output);
    assert.match(result.stderr, /error: .*127\.0\.0\.1:1/);
    box.assertClean();
  });
});

test('a context file that may not be read: exit 5', async (t) => {
  const box = sandbox(t, { Dockerfile: 'FROM scratch\nCOPY . /\n', readable: 'x', unreadable: 'x' });
  const file = join(box.context, 'unreadable');
  chownSync(file, 65534, 65534);
  // Root without these two is held to the modes of files that others own.
  const caps = '-dac_override,-dac_read_search';
  const under = ['setpriv', `--bounding-set=${caps}`, `--inh-caps=${caps}`];
  chmodSync(file, 0o600);
  const result = await box.build([`--layer-cache-dir=${box.cache}`], { command: 'probe', under });
  assertFailed(box, result, 5, /unreadable/, /permission denied|EACCES/i);
});

test('a RUN that fails: exit 3 with its code and place', async (t) => {
  const box = withBase(t, ['RUN echo first', 'RUN echo before && exit 7']);
  if (!box) return;
  const result = await box.build([...outputs(box), `--layer-cache-dir=${box.cache}`]);
  assertFailed(box, result, 3, /exited with code 7/, /Dockerfile:3/, /before/);
  const again = await box.build([`--layer-cache-dir=${box.cache}`]);
  assertFailed(box, again, 3, /exited with code 7/, /cached|CACHED/);
});

test('a command that is not found: exit 3 with code 127', async (t) => {
  const shell = withBase(t, ['RUN no-such-command --flag']);
  if (!shell) return;
  const result = await shell.build(outputs(shell));
  assertFailed(shell, result, 3, /code 127/, /Dockerfile:2/, /no-such-command/, /hint: .*not found/);
  shell.write({
    Dockerfile: readFileSync(join(shell.context, 'Dockerfile'), 'utf8').replace(
      /RUN .*/,
      'RUN ["/no/such/program"]',
    ),
  });
  const exec = await shell.build(outputs(shell));
  assertFailed(shell, exec, 3, /\/no\/such\/program/, /Dockerfile:2/, /not found|no such/i);
});

test('a RUN whose command was killed says what may have killed it', async (t) => {
  const box = withBase(t, ["RUN sh -c 'kill -KILL $$'; exit $?"]);
  if (!box) return;
  assertFailed(box, await box.build(outputs(box)), 3, /code 137/, /Dockerfile:2/, /hint: .*memory/);
});

/** A file system of 4 MiB on a directory, which only the command line and its children see. */
function smallDisk(dir: string): readonly string[] {
  mkdirSync(dir, { recursive: true });
  const script = 'mount -t tmpfs -o size=4m,mode=755 small "$0" && exec "$@"';
  return ['unshare', '--mount', '--propagation=private', '/bin/sh', '-c', script, dir];
}

const big = 'RUN dd if=/dev/urandom of=/big bs=1M count=16 2>/dev/null';

test('the disk of the work directory is full: exit 14', async (t) => {
  const box = withBase(t, ['COPY big /']);
  if (!box) return;
  writeFileSync(join(box.context, 'big'), randomBytes(16 << 20));
  const result = await box.build(outputs(box), { under: smallDisk(box.work) });
  assertFailed(box, result, 14, /no space left/i, /hint: /);
});

test('a RUN that fills the disk says so itself', async (t) => {
  const box = withBase(t, [big]);
  if (!box) return;
  const result = await box.build(outputs(box), { under: smallDisk(box.work) });
  assert.ok([3, 14].includes(result.code), result.output);
  assertFailed(box, result, result.code);
});

test('the disk of an output is full: exit 14 and nothing half-written', async (t) => {
  const box = withBase(t, [big]);
  if (!box) return;
  const disk = box.path('disk');
  for (const output of [
    `type=oci,dest=${disk}/layout`,
    `type=rootfs,dest=${disk}/rootfs`,
    `type=docker,dest=${disk}/image.tar`,
  ]) {
    const [unshare, ...rest] = smallDisk(disk);
    const listed = rest.with(
      -2,
      `${rest.at(-2)?.replace('exec "$@"', '"$@"; code=$?; ls -A "$0"; exit $code')}`,
    );
    const result = await box.build([`--output=${output}`], { under: [unshare!, ...listed] });
    assert.equal(result.code, 14, `${output}: ${result.output}`);
    assert.match(result.stderr, /no space left/i);
    assert.equal(result.stdout, '', `${output}: left on the disk`);
    box.assertClean();
  }
});

test('the disk of the layer cache is full: a warning, and the build succeeds', async (t) => {
  const box = withBase(t, [big]);
  if (!box) return;
  const result = await box.build([`--layer-cache-dir=${box.cache}`], { under: smallDisk(box.cache) });
  assertBuilt(box, result);
  assert.match(result.stderr, /warning: .*no space left/i);
});

/** The file tree of a build that used the layer cache. */
async function builtTree(box: Sandbox, name: string): Promise<{ tree: unknown; result: CliResult }> {
  const layout = box.path(name);
  const result = await box.build([`--layer-cache-dir=${box.cache}`, `--output=type=oci,dest=${layout}`]);
  assertBuilt(box, result);
  const { tree, problems } = describeImage(await readOciLayout(layout), 0);
  assert.deepEqual(problems, []);
  return { tree, result };
}

/** Files of a directory, by path below it, largest first. */
function filesOf(dir: string): readonly { readonly path: string; readonly size: number }[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, size: statSync(path).size }))
    .sort((a, b) => b.size - a.size);
}

const registryDir = 'docker/registry/v2';
/** RFC 8878, section 3.1.1. */
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const damages: Readonly<Record<string, (cache: string) => void>> = {
  'a truncated layer': (cache) => {
    const { path, size } = filesOf(join(cache, registryDir, 'blobs'))[0]!;
    truncateSync(path, size >> 1);
  },
  'a layer with other bytes': (cache) => {
    const { path, size } = filesOf(join(cache, registryDir, 'blobs'))[0]!;
    const bytes = readFileSync(path);
    for (let at = size >> 2; at < (size >> 2) + 1000; at++) bytes[at]! ^= 0xff;
    writeFileSync(path, bytes);
  },
  'every blob empty': (cache) => {
    for (const { path } of filesOf(join(cache, registryDir, 'blobs'))) truncateSync(path, 0);
  },
  'garbage in the link of every tag': (cache) => {
    for (const { path } of filesOf(join(cache, registryDir, 'repositories')))
      if (path.includes('/_manifests/tags/')) writeFileSync(path, 'garbage\n');
  },
  'garbage in every link of a revision or layer': (cache) => {
    for (const { path } of filesOf(join(cache, registryDir, 'repositories')))
      if (!path.includes('/_manifests/tags/')) writeFileSync(path, 'garbage\n');
  },
  'a file in place of the directory of tags': (cache) => {
    const tags = join(cache, registryDir, 'repositories/local/cache/_manifests/tags');
    rmSync(tags, { recursive: true });
    writeFileSync(tags, '');
  },
  'a directory in place of a blob': (cache) => {
    const { path } = filesOf(join(cache, registryDir, 'blobs'))[0]!;
    rmSync(path);
    mkdirSync(path);
  },
};

for (const [name, damage] of Object.entries(damages)) {
  test(`a layer cache with ${name} is worth nothing, and stops nothing`, async (t) => {
    const box = withBase(t, [
      'RUN seq 1 200000 > /numbers && touch -d 2020-01-01 /numbers',
      'RUN wc -l < /numbers > /count && touch -d 2020-01-01 /count',
    ]);
    if (!box) return;
    const { tree } = await builtTree(box, 'before');
    damage(box.cache);
    const { tree: rebuilt, result } = await builtTree(box, 'after');
    assert.deepEqual(rebuilt, tree);
    if (!name.includes('link of a revision')) assert.match(result.stderr, /warning: /);
    // Where the damage allows it, the cache is whole again.
    if (name.includes('directory')) return;
    const { tree: third, result: cached } = await builtTree(box, 'third');
    assert.deepEqual(third, tree);
    assert.doesNotMatch(cached.stderr, /warning: /);
  });
}

for (const size of [1000, 300_000]) {
  test(`a layer of ${size} bytes that a registry has damaged is stored again`, async (t) => {
    const box = sandbox(t, { Dockerfile: 'FROM scratch\nCOPY file /file\n' });
    writeFileSync(join(box.context, 'file'), randomBytes(size));
    const storage = box.path('storage');
    const registry = await startOwnRegistry(box.dir, storage);
    t.after(() => registry.stop());
    const build = (to: string): ReturnType<Sandbox['build']> =>
      box.build([`--cache-repo=${registry.host}/cache`, '--push', `--output=${box.path(to)}`]);
    assertBuilt(box, await build('first'));
    for (const { path } of filesOf(join(storage, registryDir, 'blobs'))) {
      const bytes = readFileSync(path);
      if (!bytes.subarray(0, 4).equals(ZSTD_MAGIC)) continue;
      bytes[bytes.length >> 2]! ^= 0xff;
      writeFileSync(path, bytes);
    }
    const healed = await build('second');
    assertBuilt(box, healed);
    // A small one is read when it is asked for, and the registry removes what it finds damaged.
    assert.match(healed.stderr, /warning: .*(cannot be read|is gone)/);
    const cached = await build('third');
    assertBuilt(box, cached);
    assert.doesNotMatch(cached.stderr, /warning: /);
    assert.match(cached.stderr, /1 from the cache, 0 built/);
    for (const to of ['second', 'third'])
      assert.ok(readFileSync(join(box.path(to), 'file')).equals(readFileSync(join(box.context, 'file'))));
  });
}

test('damaged copies of base layers in the layer cache stop nothing', async (t) => {
  const box = withBase(t, ['COPY f /']);
  if (!box) return;
  box.write({ f: '' });
  assertBuilt(box, await box.build([`--layer-cache-dir=${box.cache}`, '--push']));
  const { path } = filesOf(join(box.cache, registryDir, 'blobs'))[0]!;
  const bytes = readFileSync(path);
  bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 1000);
  writeFileSync(path, bytes);
  box.write({ f: 'changed' });
  const rootfs = box.path('rootfs');
  const result = await box.build([`--layer-cache-dir=${box.cache}`, '--push', `--output=${rootfs}`]);
  assertBuilt(box, result);
  assert.match(result.stderr, /warning: /);
  assert.equal(readFileSync(join(rootfs, 'f'), 'utf8'), 'changed');
  assert.ok(existsSync(join(rootfs, 'bin/busybox')));
});

test('a file as layer cache directory: exit 18', async (t) => {
  const box = sandbox(t, { Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' });
  writeFileSync(box.cache, 'mine');
  const result = await box.build([...outputs(box), `--layer-cache-dir=${box.cache}`]);
  assertFailed(box, result, 18, new RegExp(box.cache), /hint: /);
  assert.equal(readFileSync(box.cache, 'utf8'), 'mine');
});

test('a directory of other files as layer cache: exit 18, untouched', async (t) => {
  const box = sandbox(t, { Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' });
  mkdirSync(box.cache);
  writeFileSync(join(box.cache, 'letter'), 'mine');
  const result = await box.build([...outputs(box), `--layer-cache-dir=${box.cache}`]);
  assertFailed(box, result, 18, new RegExp(box.cache), /letter/, /hint: /);
  assert.deepEqual(readdirSync(box.cache), ['letter']);
});

for (const type of ['rootfs', 'oci', 'docker']) {
  test(`an output of type ${type} on a directory that is not ours is refused, untouched`, async (t) => {
    const box = sandbox(t, { Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' });
    const dest = box.path('home');
    mkdirSync(dest);
    writeFileSync(join(dest, 'letter'), 'mine');
    const result = await box.build([`--output=type=${type},dest=${dest}`]);
    assert.ok([15, 19].includes(result.code), result.output);
    assertFailed(box, result, result.code, new RegExp(dest));
    assert.deepEqual(readdirSync(dest), ['letter']);
    assert.equal(readFileSync(join(dest, 'letter'), 'utf8'), 'mine');
  });
}

for (const type of ['rootfs', 'oci']) {
  test(`an output of type ${type} on a file is refused, untouched`, async (t) => {
    const box = sandbox(t, { Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' });
    const dest = box.path('letter');
    writeFileSync(dest, 'mine');
    const result = await box.build([`--output=type=${type},dest=${dest}`]);
    assert.ok([15, 19].includes(result.code), result.output);
    assertFailed(box, result, result.code, new RegExp(dest));
    assert.equal(readFileSync(dest, 'utf8'), 'mine');
  });
}

test('without the right to mount: exit 13', async (t) => {
  const box = withBase(t, ['RUN true']);
  if (!box) return;
  const result = await box.build(outputs(box), {
    under: ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'],
  });
  assertFailed(box, result, 13, /CAP_SYS_ADMIN/, /hint: .*privileged/);
});

for (const [signal, times] of [
  ['SIGINT', 1],
  ['SIGTERM', 1],
] as const) {
  test(`interrupted by ${signal}: exit 130 and nothing left`, async (t) => {
    const box = withBase(t, [
      'RUN --mount=type=cache,target=/c --mount=type=secret,id=s echo up; sleep 600 & sleep 600',
    ]);
    if (!box) return;
    box.write({ s: 'a secret' });
    let sent = 0;
    const result = await box.build(
      [...outputs(box), `--secret=id=s,src=${join(box.context, 's')}`, `--layer-cache-dir=${box.cache}`],
      {
        watch: (output, kill) => {
          if (sent < times && /^.*\bup$/m.test(output.replace(/RUN .*/g, ''))) {
            sent += 1;
            kill(signal);
          }
        },
      },
    );
    assert.equal(sent, times, result.output);
    assertFailed(box, result, 130, /interrupted/);
    assert.deepEqual(processesIn(box.work), []);
  });
}

/** Processes whose root or mounts lie below a directory: what a RUN left running. */
function processesIn(dir: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(`${dir}/`);
    } catch {
      return false;
    }
  });
}

/** Where a device comes from, and what is said of it where none can be made. */
const DEVICES: readonly (readonly [from: string, lines: readonly string[], message: RegExp])[] = [
  [
    'the context',
    ['FROM scratch', 'COPY null /dev/none'],
    /cannot make the device \/dev\/none: .*user namespace/,
  ],
  [
    'an archive',
    ['FROM scratch', 'ADD devices.tar /'],
    /devices\.tar cannot be unpacked at "null": .*user namespace/,
  ],
];

describe('devices that cannot be made', () => {
  const asOther = { under: ['unshare', '--user', '--map-root-user', '--mount'] };
  const withDevice = (t: TestContext, lines: readonly string[]): Sandbox => {
    const box = sandbox(t, { Dockerfile: `${lines.join('\n')}\n`, file: 'x' });
    execFileSync('mknod', [join(box.context, 'null'), 'c', '1', '3']);
    execFileSync('tar', ['-cf', join(box.context, 'devices.tar'), '-C', box.context, 'null']);
    return box;
  };

  for (const [from, lines, message] of DEVICES) {
    test(`of ${from}: an error at the instruction that says what helps, and root makes it`, async (t) => {
      const box = withDevice(t, lines);
      const refused = await box.build([], asOther);
      assert.equal(refused.code, EXIT_CODES.PERMISSION.exit, refused.output);
      assert.match(refused.stderr, message);
      assert.match(refused.stderr, /Dockerfile:2:1/);
      assert.match(refused.stderr, /^hint: build as root of the machine, or leave the device out/m);
      const made = await box.build([]);
      assert.equal(made.code, 0, made.output);
    });
  }

  test('of a layer: it is left out of what is extracted, with a warning, and stays in the image', async (t) => {
    const box = withDevice(t, ['FROM scratch', 'COPY null /null']);
    const layout = box.path('layout');
    assert.equal((await box.build([`--output=type=oci,dest=${layout}`])).code, 0);
    box.write({ Dockerfile: 'FROM base\nCOPY file /file\n' });
    const [rootfs, image] = [box.path('rootfs'), box.path('image')];
    const result = await box.build(
      [
        `--build-context=base=oci-layout://${layout}:latest`,
        `--output=${rootfs}`,
        `--output=type=oci,dest=${image}`,
      ],
      asOther,
    );
    assert.equal(result.code, 0, result.output);
    assert.match(result.stderr, /device nodes such as null are left out, for they need root/);
    assert.deepEqual(readdirSync(rootfs), ['file']);
    const { tree } = describeImage(await readOciLayout(image), 0);
    const device = Object.entries(tree).find(([path]) => /^\/?null$/.test(path));
    assert.equal(device?.[1].type, 'char');
  });
});
