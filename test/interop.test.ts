import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startRegistry } from '../scripts/lib/registry-server.ts';
import { run } from '../scripts/lib/shell.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { builtSteps, cachedImage, imageDigest } from './support/results.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry', 'docker']);

/** Every kind of record: layers of each kind of step, a step that changes nothing, a stage that another one copies from. */
const dockerfile = (host: string): string => `FROM ${host}/busybox:1 AS made
WORKDIR /made
RUN echo made > file && ln file again && mknod pipe p
RUN true
FROM ${host}/busybox:1
COPY --from=made --chown=1000:1000 /made /made
COPY file /file
RUN rm /file && chmod 1777 /made
CMD ["/bin/sh"]
`;
const STEPS = 6;

function open(t: TestContext): { readonly host: string; readonly box: Sandbox } | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const { host } = environment.services.registry!;
  const box = createSandbox({ Dockerfile: dockerfile(host), file: 'content\n' });
  t.after(() => box.close());
  return { host, box };
}

test('docker pull and skopeo copy take every record and the image', async (t) => {
  const opened = open(t);
  if (!opened) return;
  const { host, box } = opened;
  const missing = missingService(environment.services, ['docker']);
  if (missing !== undefined) return t.skip(missing);
  const docker = environment.services.docker!;
  const name = `interop/${randomBytes(4).toString('hex')}`;
  const built = await box.build([
    `--cache-repo=${host}/${name}`,
    '--push-image',
    `--metadata-file=${box.path('m')}`,
  ]);
  assert.equal(built.code, 0, built.output);
  const answer = await fetch(`http://${host}/v2/${name}/tags/list`);
  const { tags } = (await answer.json()) as { readonly tags: readonly string[] };
  // Traces and leases are no images.
  const images = tags.filter((tag) => !/^(trace|lease)-/.test(tag));
  const records = images.filter((tag) => /^[0-9a-f]{64}$/.test(tag));
  assert.ok(records.length >= STEPS, tags.join());
  assert.equal(images.filter((tag) => tag.startsWith('image-')).length, 1);
  mkdirSync(box.path('copies'));
  for (const tag of images) {
    await run('skopeo', [
      'copy',
      '--quiet',
      '--insecure-policy',
      '--src-tls-verify=false',
      `docker://${host}/${name}:${tag}`,
      `oci:${box.path('copies')}:${tag}`,
    ]);
    await run(docker.command, ['image', 'pull', '--quiet', `${host}/${name}:${tag}`], { env: docker.env });
  }
  const digest = imageDigest(box.path('m'));
  await run(docker.command, ['image', 'pull', '--quiet', `${host}/${name}@${digest}`], { env: docker.env });
  const ids = await run(docker.command, ['image', 'ls', '--quiet', '--no-trunc', `${host}/${name}`], {
    env: docker.env,
  });
  await run(docker.command, ['image', 'rm', '--force', ...new Set(ids.trim().split('\n'))], {
    env: docker.env,
  });
});

test("Debian's docker-registry serves the layer cache directory unchanged, and a build takes all from it", async (t) => {
  const opened = open(t);
  if (!opened) return;
  const { box } = opened;
  const args = ['--push-image', `--metadata-file=${box.path('m')}`];
  const built = await box.build([`--layer-cache-dir=${box.cache}`, ...args]);
  assert.equal(built.code, 0, built.output);
  const digest = imageDigest(box.path('m'));
  const earlier = listing(box.cache);
  mkdirSync(box.path('registry'));
  const { registry, stop } = await startRegistry(box.path('registry'), box.cache);
  t.after(stop);
  const repository = `${registry.host}/local/cache`;
  const cached = await box.build(
    [
      '--progress=json',
      `--cache-repo=${repository}`,
      `--output=${box.path('rootfs')}`,
      `--metadata-file=${box.path('m')}`,
    ],
    { env: { ENVBUILDER_STATE_DIR: box.path('elsewhere') } },
  );
  assert.equal(cached.code, 0, cached.output);
  assert.deepEqual(builtSteps(cached), []);
  assert.equal(imageDigest(box.path('m')), digest);
  const probe = await box.build([`--cache-repo=${repository}`], { command: 'probe' });
  assert.equal(cachedImage(probe), `${repository}@${digest}`);
  await run('skopeo', ['inspect', '--tls-verify=false', `docker://${repository}@${digest}`]);
  assert.deepEqual(listing(box.cache), earlier);
});

test('what is pushed through docker-registry is found in its directory', async (t) => {
  const opened = open(t);
  if (!opened) return;
  const { box } = opened;
  mkdirSync(box.path('registry'));
  const { registry, stop } = await startRegistry(box.path('registry'), box.cache);
  t.after(stop);
  const built = await box.build([`--cache-repo=${registry.host}/local/cache`, '--push-image']);
  assert.equal(built.code, 0, built.output);
  const cached = await box.build(['--progress=json', `--layer-cache-dir=${box.cache}`]);
  assert.equal(cached.code, 0, cached.output);
  assert.deepEqual(builtSteps(cached), []);
  const probe = await box.build([`--layer-cache-dir=${box.cache}`], { command: 'probe' });
  assert.equal(probe.code, 0, probe.output);
});

test('processes that build into one layer cache directory at once do not harm each other', async (t) => {
  const opened = open(t);
  if (!opened) return;
  const { box } = opened;
  const boxes = [box, ...[1, 2].map(() => createSandbox({ Dockerfile: '', file: 'content\n' }))];
  t.after(() => boxes.slice(1).map((other) => other.close()));
  // The first stage is common to all, the last step is each one's own.
  const text = readFileSync(join(box.context, 'Dockerfile'), 'utf8');
  for (const [i, one] of boxes.entries()) one.write({ Dockerfile: `${text}RUN echo ${i} > /who\n` });
  const args = [`--layer-cache-dir=${box.cache}`, '--push-image'];
  for (const result of await Promise.all(boxes.map((one) => one.build(args))))
    assert.equal(result.code, 0, result.output);
  for (const { digest, name } of blobs(box.cache)) assert.equal(digest, name);
  for (const one of boxes) {
    const again = await one.build(['--progress=json', ...args, `--output=${one.path('rootfs')}`]);
    assert.equal(again.code, 0, again.output);
    // Common steps that were built by several have one record now, and what lies on another one's is built again.
    const third = await one.build(['--progress=json', ...args]);
    assert.deepEqual(builtSteps(third), [], third.output);
    one.assertClean();
  }
});

/** Path, size, time and content of every file below a directory. */
function listing(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(dir, name)).isFile())
    .map((name) => `${name} ${statSync(join(dir, name)).mtimeMs} ${sha256(join(dir, name))}`)
    .sort();
}

/** The blobs of a directory in Distribution's layout: their names and what they really are. */
function blobs(dir: string): readonly { readonly name: string; readonly digest: string }[] {
  return readdirSync(dir, { recursive: true })
    .map(String)
    .filter((name) => /blobs\/sha256\/..\/[0-9a-f]{64}\/data$/.test(name))
    .map((name) => ({ name: name.split('/').at(-2)!, digest: sha256(join(dir, name)) }));
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
