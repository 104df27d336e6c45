import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { run } from '../scripts/lib/shell.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { builtSteps, cachedImage, imageDigest } from './support/results.ts';
import { createSandbox, type Sandbox, type SandboxOptions, type SandboxResult } from './support/sandbox.ts';

/*
 * What users of programs like this one reported as broken, each under its name. What needs Docker as a judge is in
 * test/cases; what belongs to one part alone, beside that part.
 */

const environment = useEnvironment(['registry', 'http']);

interface Bench {
  readonly host: string;
  readonly box: Sandbox;
  readonly repository: string;
  /** Builds into `<name>/` and fails the test when the build fails. */
  build(name: string, args?: readonly string[], options?: SandboxOptions): Promise<SandboxResult>;
  write(dockerfile: readonly string[], files?: Readonly<Record<string, string>>): void;
}

function open(t: TestContext, dockerfile: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const missing = missingService(environment.services, ['registry', 'http']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const { host } = environment.services.registry!;
  const fill = (lines: readonly string[]): string =>
    `${lines.join('\n').replaceAll('BASE', `${host}/busybox:1`)}\n`;
  const box = createSandbox({ ...files, Dockerfile: fill(dockerfile) });
  t.after(() => box.close());
  const repository = `${host}/behaviour/${randomBytes(4).toString('hex')}`;
  const bench: Bench = {
    host,
    box,
    repository,
    build: async (name, args = [], options = {}) => {
      const result = await box.build(
        [
          '--progress=json',
          `--cache-repo=${repository}`,
          `--output=${box.path(name)}`,
          `--metadata-file=${box.path(`${name}.json`)}`,
          ...args,
        ],
        options,
      );
      assert.equal(result.code, 0, result.output);
      return result;
    },
    write: (lines, more = {}) => box.write({ ...more, Dockerfile: fill(lines) }),
  };
  return bench;
}

test('no stale COPY --from: a source stage that changes is copied anew, and back again it is found', async (t) => {
  const lines = (content: string): string[] => [
    'FROM BASE AS source',
    `RUN echo ${content} > /file`,
    'FROM BASE',
    'RUN true',
    'COPY --from=source /file /file',
    'RUN cp /file /copy',
  ];
  const bench = open(t, lines('one'));
  if (!bench) return;
  await bench.build('one');
  bench.write(lines('two'));
  const second = await bench.build('two');
  assert.deepEqual(builtSteps(second), ['0.0', '1.1', '1.2']);
  assert.equal(readFileSync(bench.box.path('two/copy'), 'utf8'), 'two\n');
  bench.write(lines('one'));
  const third = await bench.build('three');
  assert.deepEqual(builtSteps(third), []);
  assert.equal(readFileSync(bench.box.path('three/copy'), 'utf8'), 'one\n');
});

test('a stage that is rebuilt with the same result stops there: what copies from it is found', async (t) => {
  const lines = (comment: string): string[] => [
    'FROM BASE AS source',
    `RUN : ${comment}; echo same > /file; touch -d @1600000000 /file`,
    'FROM BASE',
    'COPY --from=source /file /file',
    'RUN cp /file /copy',
  ];
  const bench = open(t, lines('one'));
  if (!bench) return;
  await bench.build('one');
  bench.write(lines('two'));
  assert.deepEqual(builtSteps(await bench.build('two')), ['0.0']);
});

test('same bytes, same hit: another checkout, other times, owners and order, a mirrored and recompressed base', async (t) => {
  const lines = ['FROM BASE', 'COPY dir /dir', 'RUN ls /dir > /list'];
  const files = { 'dir/b': 'b\n', 'dir/a': 'a\n', 'dir/sub/c': 'c\n' };
  const bench = open(t, lines, files);
  if (!bench) return;
  await bench.build('one');
  const other = createSandbox({
    ...Object.fromEntries(Object.entries(files).reverse()),
    Dockerfile: lines.join('\n').replace('BASE', `${bench.host}/busybox:zstd`),
  });
  t.after(() => other.close());
  await run('/bin/sh', ['-c', 'chown -R 1234:567 dir && find . -exec touch -d @1234567890 {} +'], {
    cwd: other.context,
  });
  const again = await bench.build('two', [], { context: other.context });
  assert.deepEqual(builtSteps(again), []);
});

test('names of files are part of the key of a directory', async (t) => {
  const bench = open(t, ['FROM BASE', 'COPY dir /dir'], { 'dir/a': 'x\n', 'dir/b': '' });
  if (!bench) return;
  await bench.build('one');
  await run('/bin/sh', ['-c', 'mv a c && mv b a && mv c b'], { cwd: join(bench.box.context, 'dir') });
  assert.deepEqual(builtSteps(await bench.build('two')), ['0.0']);
  assert.equal(readFileSync(bench.box.path('two/dir/b'), 'utf8'), 'x\n');
});

test('files that have not changed are not listed, and are copied all the same where the cache does not have them', async (t) => {
  const dockerfile = [
    'COPY . /all/',
    'ADD dir /added',
    'RUN --mount=type=bind,target=/in cat /in/dir/a >/read',
  ];
  const bench = open(t, ['FROM BASE', ...dockerfile], { 'dir/a': 'first\n', 'dir/b': '' });
  if (!bench) return;
  // Nothing is remembered of what was just written.
  // Wait: two seconds are the rule that is tested.
  await setTimeout(2100);
  const build = (name: string, cache: string) =>
    bench.build(name, [`--layer-cache-dir=${bench.box.path(cache)}`]);
  await build('one', 'cache-one');
  const [memo] = readdirSync(join(bench.box.state, 'context-hashes')).filter((name) =>
    name.endsWith('-trees'),
  );
  const remembered = readFileSync(join(bench.box.state, 'context-hashes', memo!), 'latin1');
  assert.equal(remembered.trim().split('\n').length, 4);
  assert.deepEqual(builtSteps(await build('two', 'cache-one')), []);
  assert.deepEqual(builtSteps(await build('three', 'cache-three')), ['0.0', '0.1', '0.2']);
  const read = (name: string): string[] =>
    ['all/dir/a', 'added/a', 'read'].map((path) => readFileSync(bench.box.path(`${name}/${path}`), 'utf8'));
  for (const name of ['one', 'two', 'three']) assert.deepEqual(read(name), ['first\n', 'first\n', 'first\n']);
  bench.box.write({ 'dir/a': 'other\n' });
  assert.deepEqual(builtSteps(await build('four', 'cache-one')), ['0.0', '0.1', '0.2']);
  assert.deepEqual(read('four'), ['other\n', 'other\n', 'other\n']);
});

test('an ARG counts from its line on, in its stage, and only where something can see it', async (t) => {
  const bench = open(t, [
    'ARG GLOBAL=g',
    'FROM BASE AS first',
    'RUN echo before > /before',
    'ARG VERSION=0',
    'RUN echo $VERSION > /version',
    'FROM BASE',
    'RUN echo "<$VERSION>" > /unseen',
    'COPY --from=first /version /version',
  ]);
  if (!bench) return;
  await bench.build('one', ['--build-arg=VERSION=1']);
  assert.deepEqual(builtSteps(await bench.build('two', ['--build-arg=VERSION=2'])), ['0.1', '1.1']);
  assert.equal(readFileSync(bench.box.path('two/unseen'), 'utf8'), '<>\n');
  assert.equal(readFileSync(bench.box.path('two/version'), 'utf8'), '2\n');
  assert.deepEqual(
    builtSteps(await bench.build('three', ['--build-arg=VERSION=2', '--build-arg=GLOBAL=other'])),
    [],
  );
});

test('what lines mean counts, not how they end or are quoted: CRLF, comments, ARG in FROM', async (t) => {
  const bench = open(t, ['FROM BASE', 'ENV A="one two"', 'RUN echo "$A" > /a', 'LABEL x=y']);
  if (!bench) return;
  await bench.build('one');
  bench.write([
    'ARG IMAGE=BASE\r',
    'FROM $IMAGE\r',
    '# a comment\r',
    "ENV A='one two'\r",
    'RUN echo "$A" > /a\r',
    'LABEL x=z\r',
  ]);
  assert.deepEqual(builtSteps(await bench.build('two')), []);
});

test('one miss does not stop the others: stages and steps around it are still found', async (t) => {
  const lines = (middle: string): string[] => [
    'FROM BASE AS one',
    'RUN echo one > /one',
    'FROM BASE AS two',
    `RUN echo ${middle} > /two`,
    'FROM BASE AS three',
    'RUN echo three > /three',
    'FROM BASE',
    'COPY --from=one /one /',
    'COPY --from=three /three /',
    'COPY --from=two /two /',
  ];
  const bench = open(t, lines('two'));
  if (!bench) return;
  await bench.build('one');
  bench.write(lines('changed'));
  assert.deepEqual(builtSteps(await bench.build('two')), ['1.0', '3.2']);
});

test('a fully cached build runs nothing, unpacks nothing but its output, and needs no right to mount', async (t) => {
  const bench = open(t, [
    'FROM BASE AS source',
    'RUN echo one > /file',
    'FROM BASE',
    'COPY --from=source /file /file',
    'RUN chmod 600 /file',
  ]);
  if (!bench) return;
  await bench.build('one');
  const under = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', '--'];
  const again = await bench.build('two', [], { under });
  assert.deepEqual(builtSteps(again), []);
  assert.equal(imageDigest(bench.box.path('two.json')), imageDigest(bench.box.path('one.json')));
  assert.equal(statSync(bench.box.path('two/file')).mode & 0o777, 0o600);
});

test('the cache keeps what a RUN, a COPY and a WORKDIR made: deletions, links, owners, modes, capabilities', async (t) => {
  const bench = open(
    t,
    [
      'FROM BASE',
      'RUN mkdir /gone && touch /gone/file /kept && chmod 1777 /tmp && rm -r /base/one /gone',
      'RUN ln /kept /linked && ln -s /run /var/link && chown 1:2 /kept && chmod 4755 /kept',
      'COPY --chown=7:8 --chmod=640 file /new/parents/file',
      'COPY capable /capable',
      'USER 1000',
      'WORKDIR /work/dir',
    ],
    { file: 'x\n', capable: 'x\n' },
  );
  if (!bench) return;
  // cap_net_raw=ep in the form of linux/capability.h, version 2.
  const capability = '0x0100000200200000000000000000000000000000';
  await run('setfattr', ['-n', 'security.capability', '-v', capability, join(bench.box.context, 'capable')]);
  await bench.build('one');
  assert.deepEqual(builtSteps(await bench.build('two')), []);
  const at = (name: string): string => bench.box.path(`two/${name}`);
  const of = (name: string): readonly number[] => {
    const { mode, uid, gid } = lstatSync(at(name));
    return [mode & 0o7777, uid, gid];
  };
  for (const name of ['gone', 'base/one']) assert.ok(!existsSync(at(name)), `${name} is back`);
  assert.equal(readlinkSync(at('var/run')), '../run');
  assert.equal(readlinkSync(at('var/link')), '/run');
  assert.equal(statSync(at('kept')).ino, statSync(at('linked')).ino);
  assert.deepEqual(of('kept'), [0o4755, 1, 2]);
  assert.deepEqual(of('tmp'), [0o1777, 0, 0]);
  assert.deepEqual(of('new/parents/file'), [0o640, 7, 8]);
  assert.deepEqual(of('new'), of('new/parents'));
  assert.deepEqual(of('new').slice(1), [7, 8]);
  assert.deepEqual(of('work/dir'), [0o755, 1000, 1000]);
  const shown = await run('getfattr', [
    '--only-values',
    '-e',
    'hex',
    '-n',
    'security.capability',
    at('capable'),
  ]);
  assert.ok(shown.length > 0, 'the capability is gone');
});

test('media types are consistent: one image and every record are all OCI, whatever the base is', async (t) => {
  const bench = open(t, ['FROM BASE', 'RUN true', 'RUN echo x > /x']);
  if (!bench) return;
  await bench.build('one', ['--push-image']);
  const { host, repository } = bench;
  const name = repository.slice(host.length + 1);
  const list = await (await fetch(`http://${host}/v2/${name}/tags/list`)).json();
  for (const tag of (list as { readonly tags: readonly string[] }).tags) {
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const answer = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, { headers: { accept } });
    // Distribution lists the tags of leases that were given back, and has nothing under them.
    if (tag.startsWith('lease-') && answer.status === 404) continue;
    const manifest = (await answer.json()) as Manifest;
    assert.equal(answer.headers.get('content-type'), accept);
    const types = [
      manifest.mediaType,
      manifest.config.mediaType,
      ...manifest.layers.map((one) => one.mediaType),
    ];
    for (const type of types) assert.match(type, /^application\/vnd\.oci\./, tag);
  }
});

interface Manifest {
  readonly mediaType: string;
  readonly config: { readonly mediaType: string };
  readonly layers: readonly { readonly mediaType: string }[];
}

test('several architectures share a repository, and each finds its own image', async (t) => {
  const bench = open(t, ['FROM multi', 'COPY file /file'], { file: 'x\n' });
  if (!bench) return;
  bench.write([`FROM ${bench.host}/multi:1`, 'COPY file /file']);
  const images = new Map<string, string>();
  for (const platform of ['linux/amd64', 'linux/arm64']) {
    const name = platform.replace('/', '-');
    await bench.build(name, [`--platform=${platform}`, '--push-image']);
    images.set(platform, imageDigest(bench.box.path(`${name}.json`)));
  }
  assert.equal(new Set(images.values()).size, 2);
  for (const [platform, digest] of images) {
    const probe = await bench.box.build([`--platform=${platform}`, `--cache-repo=${bench.repository}`], {
      command: 'probe',
    });
    assert.equal(cachedImage(probe), `${bench.repository}@${digest}`, probe.output);
  }
});

test('the cache grows by what changed, not by what was found', async (t) => {
  const lines = (last: string): string[] => [
    'FROM BASE',
    'RUN head -c 300000 /dev/urandom > /large',
    `RUN echo ${last} > /small`,
  ];
  const bench = open(t, lines('one'));
  if (!bench) return;
  const args = [`--layer-cache-dir=${bench.box.cache}`, '--push-image'];
  const bytes = (): number =>
    readdirSync(bench.box.cache, { recursive: true })
      .map((name) => statSync(join(bench.box.cache, String(name))))
      .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
  assert.equal((await bench.box.build(args)).code, 0);
  const first = bytes();
  assert.ok(first > 300_000);
  bench.write(lines('two'));
  assert.equal((await bench.box.build(args)).code, 0);
  assert.ok(bytes() - first < 60_000, `${bytes() - first} bytes more`);
});

test('a mirror stands in for Docker Hub, and secrets, heredocs and submodules come through it', async (t) => {
  const bench = open(t, ['FROM scratch']);
  if (!bench) return;
  bench.write([
    'FROM busybox:1',
    `ADD http://${environment.services.http!.host}/git/repo.git /repo`,
    'RUN --mount=type=secret,id=key <<EOF',
    'wc -c < /run/secrets/key > /length',
    'EOF',
    'COPY <<FILE /file',
    'a heredoc',
    'FILE',
  ]);
  // The mirror serves library/busybox as our registry serves busybox.
  await run('skopeo', [
    'copy',
    '--quiet',
    '--insecure-policy',
    '--src-tls-verify=false',
    '--dest-tls-verify=false',
    `docker://${bench.host}/busybox:1`,
    `docker://${bench.host}/library/busybox:1`,
  ]);
  const env = { KANIKO_REGISTRY_MIRROR: `nowhere.invalid;${bench.host}`, KEY: 'four' };
  await bench.build('one', ['--secret=id=key,env=KEY'], { env });
  assert.equal(readFileSync(bench.box.path('one/length'), 'utf8').trim(), '4');
  assert.equal(readFileSync(bench.box.path('one/file'), 'utf8'), 'a heredoc\n');
  assert.equal(readFileSync(bench.box.path('one/repo/sub/sub.txt'), 'utf8'), 'sub\n');
  const again = await bench.build('two', ['--secret=id=key,env=KEY'], { env: { ...env, KEY: 'other' } });
  assert.deepEqual(builtSteps(again), []);
});

test('a URL that its server still calls by the same entity tag is not downloaded to find the cache', async (t) => {
  let content = 'one\n';
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.method ?? '');
    response.writeHead(200, { etag: `"${content.trim()}"`, 'content-length': content.length });
    response.end(request.method === 'HEAD' ? undefined : content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const bench = open(t, ['FROM scratch', `ADD http://127.0.0.1:${port}/file /file`]);
  if (!bench) return;
  await bench.build('one');
  asked.length = 0;
  assert.deepEqual(builtSteps(await bench.build('two')), []);
  assert.deepEqual(asked, ['HEAD']);
  content = 'two\n';
  assert.deepEqual(builtSteps(await bench.build('three')), ['0.0']);
  assert.equal(readFileSync(bench.box.path('three/file'), 'utf8'), 'two\n');
});
