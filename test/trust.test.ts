import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { readTrustedKeys } from '../src/cache/signature.ts';
import type { CliResult } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { startRecordingProxy } from './support/recording-proxy.ts';
import { builtSteps, cachedImage, eventsOf } from './support/results.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

interface Bench {
  readonly box: Sandbox;
  readonly host: string;
  /** A new repository's path. */
  readonly repository: () => string;
  /** `build` with JSON events; fails unless it succeeds. */
  readonly build: (...args: string[]) => Promise<CliResult>;
  readonly probe: (...args: string[]) => Promise<CliResult>;
}

/** A context of two files and a Dockerfile of two steps, and the keys `ci` and `team` beside it. */
function bench(t: TestContext): Bench | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const { host } = environment.services.registry!;
  const box = createSandbox({ Dockerfile: dockerfile(host), one: 'one\n', two: 'two\n', three: 'three\n' });
  t.after(() => box.close());
  for (const name of ['ci', 'team']) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(box.path(`${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(box.path(`${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  return {
    box,
    host,
    repository: () => `trust/${randomBytes(4).toString('hex')}`,
    build: async (...args) => {
      const result = await box.build(['--progress=json', '--verbose', ...args]);
      assert.equal(result.code, 0, result.output);
      return result;
    },
    probe: (...args) => box.build(['--progress=json', ...args], { command: 'probe' }),
  };
}

const dockerfile = (host: string, ...more: string[]): string =>
  [`FROM ${host}/busybox:1`, 'COPY one /file-one', 'COPY two /file-two', ...more, ''].join('\n');

const signBy = (name: string): string => `--cache-sign-key-path=${name}.key`;
const trust = (...names: string[]): string =>
  `--cache-trusted-keys=${names.map((name) => `${name}.pub`).join(',')}`;

const keyId = (box: Sandbox, name: string): string =>
  readTrustedKeys(readFileSync(box.path(`${name}.pub`), 'utf8'), name)[0]!.id;

/** The warnings that say that records do not count. */
const refusals = (result: CliResult): ReturnType<typeof eventsOf> =>
  eventsOf(result, 'warning').filter(({ code }) => code === 'UNTRUSTED');

/** The tags of the records of all steps, in order. */
const tagsOf = (result: CliResult): readonly string[] =>
  eventsOf(result, 'step-finished').map(({ key }) => String(key).replace('sha256:', ''));

async function record(host: string, repository: string, tag: string): Promise<string> {
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: MANIFEST },
  });
  assert.equal(answer.status, 200);
  return answer.text();
}

async function plant(host: string, repository: string, tag: string, manifest: string): Promise<void> {
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': MANIFEST },
    body: manifest,
  });
  assert.equal(answer.status, 201, await answer.text());
}

async function allTags(host: string, repository: string): Promise<readonly string[]> {
  const answer = await fetch(`http://${host}/v2/${repository}/tags/list`);
  if (answer.status === 404) return [];
  const { tags } = (await answer.json()) as { tags: string[] | null };
  return [...(tags ?? [])].sort();
}

test('records of a trusted signer are hits, and the probe names their image', async (t) => {
  const one = bench(t);
  if (!one) return;
  const cache = `--cache-repo=${one.host}/${one.repository()}`;
  const first = await one.build(cache, signBy('ci'), '--push');
  assert.deepEqual(builtSteps(first), ['0.0', '0.1']);
  for (const args of [[trust('team', 'ci')], [signBy('ci')], [signBy('team'), trust('ci')]]) {
    const again = await one.build(cache, ...args);
    assert.deepEqual(builtSteps(again), [], again.output);
    assert.deepEqual(refusals(again), []);
    assert.equal(again.stdout, first.stdout);
  }
  const probe = await one.probe(cache, trust('ci'));
  assert.equal(probe.code, 0, probe.output);
  assert.equal(cachedImage(probe)?.split('@')[1], first.stdout.trim());
});

test('records of others are misses with one warning, and only a signature replaces them', async (t) => {
  const one = bench(t);
  if (!one) return;
  const repository = one.repository();
  const cache = `--cache-repo=${one.host}/${repository}`;
  const unsigned = await one.build(cache);
  const tag = tagsOf(unsigned)[0]!;

  const refused = await one.build(cache, signBy('team'));
  assert.deepEqual(builtSteps(refused), ['0.0', '0.1']);
  const [{ text, hint } = assert.fail(), ...more] = refusals(refused);
  assert.equal(more.length, 0);
  const [, key = assert.fail(String(text))] =
    /^the cache record (\w{12}) in \S+ counts as missing: it is not signed$/.exec(String(text)) ?? [];
  assert.ok(String(text).includes(repository));
  // All records are asked for at once: whichever answer came first is named.
  const known = await allTags(one.host, repository);
  assert.ok(
    known.some((name) => name.startsWith(key)),
    `${text}\n${known.join('\n')}`,
  );
  assert.match(String(hint), /ENVBUILDER_CACHE_SIGN_KEY_PATH/);
  assert.deepEqual(builtSteps(await one.build(cache, trust('team'))), []);

  const kept = await record(one.host, repository, tag);
  const stranger = await one.build(cache, trust('ci'));
  assert.deepEqual(builtSteps(stranger), ['0.0', '0.1']);
  assert.match(
    String(refusals(stranger)[0]!.text),
    new RegExp(`key ${keyId(one.box, 'team')}, which is not`),
  );
  assert.equal(await record(one.host, repository, tag), kept);

  const probe = await one.probe(cache, trust('ci'));
  assert.equal(probe.code, 10, probe.output);
  assert.match(probe.output, /not trusted/);
});

test('a record that was changed, or moved to another key, is a miss and its layers are not used', async (t) => {
  const one = bench(t);
  if (!one) return;
  const repository = one.repository();
  const cache = `--cache-repo=${one.host}/${repository}`;
  const built = await one.build(cache, signBy('ci'));
  const [first = '', last = ''] = tagsOf(built);
  const [early, late] = [await record(one.host, repository, first), await record(one.host, repository, last)];
  const digestIn = (manifest: string): string => JSON.parse(manifest).layers[0].digest;
  const byContent = String(JSON.parse(late).annotations['dev.envbuilder.content-key']).replace('sha256:', '');
  const chainOf = (manifest: string): string => JSON.parse(manifest).annotations['dev.envbuilder.chain'];

  const attacks: Readonly<Record<string, readonly [string, RegExp]>> = {
    // Every layer that it names is there, and the manifest is one that the registry takes.
    'the first layer in place of the last': [
      late.replaceAll(digestIn(late), digestIn(early)),
      /not one of this record/,
    ],
    'another time of creation': [
      late.replace(/(?<="dev.envbuilder.created":"[^"]*T)\d\d/, (hour) =>
        String((Number(hour) + 1) % 24).padStart(2, '0'),
      ),
      /not one of this record/,
    ],
    'a shorter chain with its own signature': [
      JSON.stringify({
        ...JSON.parse(late),
        config: JSON.parse(early).config,
        layers: JSON.parse(early).layers,
        annotations: {
          ...JSON.parse(late).annotations,
          'dev.envbuilder.chain': chainOf(early),
          'dev.envbuilder.made': '1',
        },
      }),
      /not one of this record/,
    ],
    'the record of the step before': [early, /belongs to another key/],
    'no signature any more': [
      late.replace(/,"dev.envbuilder.signature.[0-9a-f]+":"[^"]+"/, ''),
      /not signed/,
    ],
  };
  for (const [what, [manifest, reason]] of Object.entries(attacks)) {
    assert.notEqual(manifest, late, what);
    for (const tag of [last, byContent]) await plant(one.host, repository, tag, manifest);
    const again = await one.build(cache, signBy('ci'), `--output=${one.box.path(`out ${what}`)}`);
    assert.deepEqual(builtSteps(again), ['0.1'], what);
    const warnings = eventsOf(again, 'warning').map(({ text }) => String(text));
    assert.ok(
      warnings.some((text) => reason.test(text)),
      `${what}: ${warnings.join('\n')}`,
    );
    assert.equal(readFileSync(one.box.path(`out ${what}/file-two`), 'utf8'), 'two\n');
  }
});

test('a trusted repository is read and never written to; what is new goes to the own one', async (t) => {
  const one = bench(t);
  if (!one) return;
  const { box, host } = one;
  const [ci, own] = [one.repository(), one.repository()];
  const filled = await one.build(`--cache-repo=${host}/${ci}`, signBy('ci'), '--push');
  const before = await allTags(host, ci);
  const proxy = await startRecordingProxy(host);
  t.after(() => proxy.stop());
  const both = [`--cache-trusted-repos=${proxy.host}/${ci}`, `--cache-repo=${host}/${own}`, trust('ci')];

  const hit = await one.build(...both, signBy('team'));
  assert.deepEqual(builtSteps(hit), []);
  assert.equal(hit.stdout, filled.stdout);
  assert.deepEqual(await allTags(host, own), [], 'a hit is not copied');
  const probe = await one.probe(...both);
  assert.equal(cachedImage(probe), `${proxy.host}/${ci}@${filled.stdout.trim()}`);

  box.write({ Dockerfile: dockerfile(host, 'COPY three /file-three') });
  const more = await one.build(...both, signBy('team'), '--push', '--exit-on-push-failure');
  assert.deepEqual(builtSteps(more), ['0.2']);
  const stored = await allTags(host, own);
  assert.ok(stored.includes(tagsOf(more)[2]!) && !stored.includes(tagsOf(more)[0]!), stored.join('\n'));
  const image = await one.probe(...both, signBy('team'));
  assert.equal(cachedImage(image), `${host}/${own}@${more.stdout.trim()}`);
  const rootfs = `--output=${box.path('rootfs')}`;
  assert.deepEqual(builtSteps(await one.build(...both, signBy('team'), rootfs)), []);
  for (const name of ['one', 'two', 'three'])
    assert.equal(readFileSync(box.path(`rootfs/file-${name}`), 'utf8'), `${name}\n`);

  const asked = proxy.taken().filter((line) => line.includes(ci));
  assert.ok(asked.length > 0);
  assert.deepEqual(
    asked.filter((line) => !/^(GET|HEAD) /.test(line)),
    [],
  );
  assert.deepEqual(await allTags(host, ci), before);
});

test('without an own repository nothing is stored, and a trusted one that is down costs no build', async (t) => {
  const one = bench(t);
  if (!one) return;
  const ci = one.repository();
  await one.build(`--cache-repo=${one.host}/${ci}`, signBy('ci'));
  const proxy = await startRecordingProxy(one.host);
  t.after(() => proxy.stop());
  const trusted = [`--cache-trusted-repos=${proxy.host}/${ci}`, trust('ci')];
  one.box.write({ Dockerfile: dockerfile(one.host, 'COPY three /file-three') });
  assert.deepEqual(builtSteps(await one.build(...trusted)), ['0.2']);
  assert.deepEqual(builtSteps(await one.build(...trusted)), ['0.2']);
  assert.deepEqual(
    proxy.taken().filter((line) => !/^(GET|HEAD) /.test(line)),
    [],
  );
  await proxy.stop();
  const alone = await one.build(...trusted);
  assert.deepEqual(builtSteps(alone), ['0.0', '0.1', '0.2']);
  const warnings = eventsOf(alone, 'warning').map(({ text }) => String(text));
  assert.ok(warnings.length === 1 && /counts as empty/.test(warnings[0]!), warnings.join('\n'));
});

test('a step that a trusted repository knows by its content is stored in the own one with its layer', async (t) => {
  const one = bench(t);
  if (!one) return;
  const { box, host } = one;
  const [ci, own] = [one.repository(), one.repository()];
  const stages = (command: string): string =>
    `FROM ${host}/busybox:1 AS made\nRUN ${command}\nFROM ${host}/busybox:1\nCOPY --from=made /made /made\n`;
  box.write({ Dockerfile: stages('echo made > /made') });
  await one.build(`--cache-repo=${host}/${ci}`, signBy('ci'));
  box.write({ Dockerfile: stages('true && echo made > /made') });
  const both = [`--cache-trusted-repos=${host}/${ci}`, `--cache-repo=${host}/${own}`, trust('ci')];
  const rebuilt = await one.build(...both, signBy('team'));
  assert.deepEqual(builtSteps(rebuilt), ['0.0']);
  // Not even the trusted repository is needed any more.
  const alone = await one.build(
    `--cache-repo=${host}/${own}`,
    trust('team'),
    `--output=${box.path('rootfs')}`,
  );
  assert.deepEqual(builtSteps(alone), []);
  assert.equal(alone.stdout, rebuilt.stdout);
  assert.equal(readFileSync(box.path('rootfs/made'), 'utf8'), 'made\n');
});
