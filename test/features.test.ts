import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type CountingProxy, startCountingProxy } from '../scripts/lib/counting-proxy.ts';
import { run } from '../scripts/lib/shell.ts';
import { openRegistries } from '../src/builder/registry-access.ts';
import { AppError } from '../src/core/error.ts';
import { prepareFeatures } from '../src/devcontainer/features/prepare.ts';
import type { DefinitionRequest, DevcontainerConfig } from '../src/devcontainer/types.ts';
import { startAuthProxy } from './support/auth-proxy.ts';
import { compareImages, report } from './support/compare.ts';
import { buildDevcontainer, probeDevcontainer } from './support/devcontainer-build.ts';
import { type Environment, missingService, openEnvironment } from './support/environment.ts';
import { featureSources, writeFiles } from './support/feature-fixtures.ts';
import { describeImage, readDockerArchive, readOciLayout } from './support/read-image.ts';
import { dockerForReference, referenceCli } from './support/reference-cli.ts';
import type { ImageDescription } from './support/tree.ts';

const NAMESPACE = 'team/features';

let environment: Environment;
let dir: string;
/** As the reference implementation must call it to speak plain HTTP. */
let registry: string;
let features: string;
let count = 0;

before(async () => {
  environment = await openEnvironment(['registry', 'docker']);
  const { services } = environment;
  dir = join(services.dir, 'features');
  mkdirSync(dir, { recursive: true });
  registry = `localhost:${services.registry!.host.split(':')[1]}`;
  features = `${registry}/${NAMESPACE}`;
  await publish(featureSources(features));
});
after(async () => {
  rmSync(dir, { recursive: true, force: true });
  await environment.stop();
});

function workspace(config: object, files: Readonly<Record<string, string | object>> = {}): string {
  count += 1;
  return writeFiles(join(dir, `workspace-${count}`), {
    '.devcontainer/devcontainer.json': config,
    ...files,
  });
}

const base = () => `${environment.services.registry!.host}/busybox:1`;

interface InstallOrder {
  readonly installOrder: readonly { readonly id: string; readonly options: unknown }[];
}

/** The order of the reference implementation, which it prints behind a diagram. */
async function referenceOrder(folder: string): Promise<InstallOrder['installOrder']> {
  const { code, stdout, output } = await referenceCli([
    'features',
    'resolve-dependencies',
    `--workspace-folder=${folder}`,
  ]);
  assert.equal(code, 0, output);
  return (JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))) as InstallOrder).installOrder;
}

async function ourOrder(folder: string): Promise<InstallOrder['installOrder']> {
  const configFile = join(folder, '.devcontainer/devcontainer.json');
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as DevcontainerConfig;
  const deps = { emit: () => {}, signal: new AbortController().signal };
  const registries = openRegistries(
    { insecure: false, mirrors: [], dockerConfigPaths: [], helperEnv: {}, proxy: {} },
    deps,
  );
  try {
    const { featuresConfiguration } = await prepareFeatures(
      {
        features: config.features ?? {},
        overrideInstallOrder: config.overrideFeatureInstallOrder ?? [],
        configFile,
        placedFile: configFile,
        roots: ['/'],
        rangeOf: () => undefined,
        dockerfileText: `FROM ${base()}`,
        dockerfile: 'Dockerfile',
        image: {},
        containerUser: 'root',
        remoteUser: 'root',
        lockfile: 'ignore',
      },
      { ...deps, registries },
    );
    const { featureSets } = featuresConfiguration as ReferenceConfiguration;
    return featureSets.map(({ sourceInformation: source, features: [feature] }) => ({
      id: source.featureRef ? `${source.featureRef.resource}@${source.manifestDigest}` : source.userFeatureId,
      options: feature!.value,
    }));
  } finally {
    await registries.close();
  }
}

interface ReferenceConfiguration {
  readonly featureSets: readonly {
    readonly sourceInformation: {
      readonly userFeatureId: string;
      readonly manifestDigest?: string;
      readonly featureRef?: { readonly resource: string };
    };
    readonly features: readonly { readonly value: unknown }[];
  }[];
}

describe('order and options are those of the reference implementation', () => {
  const local = {
    '.devcontainer/own/devcontainer-feature.json': { id: 'own', version: '1.0.0', name: 'Own' },
    '.devcontainer/own/install.sh': '#!/bin/sh\n',
  };
  const cases: Readonly<Record<string, () => object>> = {
    'a dependency and a soft one': () => ({
      features: { [`${features}/tool`]: '3', [`${features}/zed:0`]: {} },
    }),
    'the same dependency by hand': () => ({
      features: { [`${features}/hello:1.2`]: { greeting: 'hi' }, [`${features}/tool:2`]: {} },
    }),
    'the order that the user wants': () => ({
      features: {
        [`${features}/bare`]: { s: 'x' },
        [`${features}/hello`]: {},
        './own': {},
        [`${features}/zed`]: true,
      },
      overrideFeatureInstallOrder: [`${features}/zed`, './own'],
    }),
    'one feature several times': () => ({
      features: {
        [`${features}/bare:1`]: { s: 'b' },
        [`${features}/bare:1.0`]: { s: 'a' },
        [`${features}/bare`]: { b: false, s: 'z' },
        [`${features}/bare:1.0.0`]: { s: 'b' },
      },
    }),
  };
  for (const [name, config] of Object.entries(cases)) {
    test(name, { concurrency: true }, async (t) => {
      const missing = missingService(environment.services, ['registry']);
      if (missing !== undefined) return t.skip(missing);
      const folder = workspace({ image: base(), ...config() }, local);
      assert.deepEqual(await ourOrder(folder), await referenceOrder(folder));
    });
  }
});

/** Names whose order depends on the rules by which it is made. */
const NAMES = ['ab', 'a-b', 'a_b', 'Ab', 'b1', 'b10', 'b9'] as const;

const optionsOrVersion = fc.constantFrom<object | string>({}, { v: '1' }, '1');

/** Local features that mostly depend on earlier ones, and a file that names some of them. */
const localGraphs = fc.record({
  names: fc.shuffledSubarray([...NAMES], { minLength: NAMES.length }),
  features: fc.array(
    fc.record({
      needs: fc.uniqueArray(fc.nat(NAMES.length - 1), { maxLength: 2 }),
      after: fc.uniqueArray(fc.nat(NAMES.length - 1), { maxLength: 2 }),
      options: optionsOrVersion,
      // A few may name later ones, and so close circles.
      any: fc.integer({ min: 0, max: 19 }).map((dice) => dice === 0),
    }),
    { minLength: NAMES.length, maxLength: NAMES.length },
  ),
  chosen: fc.dictionary(fc.constantFrom(...NAMES), optionsOrVersion, { minKeys: 2 }),
  order: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 }),
});

test('any graph of local features is ordered as the reference implementation orders it', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const outcomes: number[] = [];
  await fc.assert(
    fc.asyncProperty(localGraphs, async ({ names, features: graph, chosen, order }) => {
      const files = graph.map(({ needs, after: soft, options, any }, i): [string, object] => {
        const earlier = (indexes: readonly number[]) =>
          indexes.filter((index) => any || index < i).map((index) => `./${names[index]}`);
        const metadata = {
          id: names[i]!,
          version: '1.0.0',
          name: names[i]!,
          options: { v: { type: 'string' } },
          dependsOn: Object.fromEntries(earlier(needs).map((id) => [id, options])),
          installsAfter: earlier(soft),
        };
        return [`.devcontainer/${names[i]}/devcontainer-feature.json`, metadata];
      });
      const folder = workspace(
        {
          image: base(),
          features: localIds(chosen),
          overrideFeatureInstallOrder: order.map((name) => `./${name}`),
        },
        Object.fromEntries(files),
      );
      const [ours, theirs] = await Promise.all([
        ourOrder(folder).catch((error: unknown) => {
          if (error instanceof AppError && error.code === 'DEVCONTAINER') return 'a circle';
          throw error;
        }),
        referenceOrder(folder).catch(() => 'a circle'),
      ]);
      assert.deepEqual(ours, theirs);
      outcomes.push(typeof ours === 'string' ? 0 : ours.length);
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 12 },
  );
  assert.ok(
    outcomes.some((count) => count > 1),
    'some of them have an order',
  );
});

function localIds(features: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(features).map(([name, options]) => [`./${name}`, options]));
}

/** The label's JSON is compared by what it says. */
function withParsedLabel(image: ImageDescription): ImageDescription {
  const config: Record<string, unknown> = { ...image.config };
  const labels = config['config.Labels'] as Readonly<Record<string, string>>;
  const { 'devcontainer.metadata': label, ...others } = labels;
  config['config.Labels'] = { ...others, metadata: JSON.parse(label ?? 'null') as unknown };
  return { ...image, config };
}

describe('images are those of the reference implementation', () => {
  const cases: Readonly<Record<string, () => { config: object; files?: Record<string, string> }>> = {
    'an image, with a user that a feature makes': () => ({
      config: {
        image: base(),
        remoteUser: 'late',
        features: {
          [`${features}/tool:2`]: { version: '$HOME', 'odd-name.1': 'a "b" `echo c`' },
          [`${features}/zed`]: {},
        },
      },
    }),
    'a Dockerfile whose stage has no name, with users and variables': () => ({
      config: {
        build: { dockerfile: 'Dockerfile', args: { WHO: 'user' } },
        containerEnv: { HELLO_OTHER: 'a "b" \\ $HOME `c`', OWN: '', NUMBER: '1', 'a.b': 'c' },
        features: {
          './own': { color: 'red' },
          [`${features}/hello`]: { shout: true, greeting: 'hi' },
          [`${features}/bare`]: {},
        },
      },
      files: {
        '.devcontainer/Dockerfile': `# escape=\`
FROM ${base()} AS other
RUN exit 1
FROM ${base()}
ARG WHO
ENV HELLO_OTHER=1
WORKDIR /srv
RUN echo $WHO >/who
USER $WHO`,
        '.devcontainer/own/devcontainer-feature.json': JSON.stringify({
          id: 'own',
          version: '1.0.0',
          name: 'Own',
          options: { color: { type: 'string', default: 'blue' } },
        }),
        '.devcontainer/own/install.sh': '#!/bin/sh\necho "$COLOR" >/own-color; cp message /own-message',
        '.devcontainer/own/message': 'own\n',
      },
    }),
    'a named target of several': () => ({
      config: {
        build: { dockerfile: 'Dockerfile', target: 'dev' },
        containerUser: '1000',
        features: { [`${features}/hello`]: {} },
      },
      files: {
        '.devcontainer/Dockerfile': `FROM ${base()} AS dev\nLABEL a=b\nFROM ${base()} AS other\nRUN exit 1\n`,
      },
    }),
  };
  for (const [name, make] of Object.entries(cases)) {
    test(name, { concurrency: true }, async (t) => {
      const { services } = environment;
      const missing = missingService(services, ['registry', 'docker']);
      if (missing !== undefined) return t.skip(missing);
      const { config, files } = make();
      const folder = workspace(config, files);
      const side = join(folder, '..', `side-${count}`);
      mkdirSync(join(side, 'saved'), { recursive: true });
      const docker = services.docker!;
      const tag = `features-${count}`;
      const reference = await referenceCli(
        [
          'build',
          `--workspace-folder=${folder}`,
          `--docker-path=${dockerForReference(docker, side)}`,
          `--image-name=${tag}`,
          '--no-lockfile',
        ],
        { env: docker.env },
      );
      assert.equal(reference.code, 0, reference.output);
      await run(
        '/bin/sh',
        ['-c', '"$1" image save "$2" | tar -xf - -C "$3"', 'sh', docker.command, tag, join(side, 'saved')],
        {
          env: docker.env,
        },
      );
      const expected = describeImage(await readDockerArchive(join(side, 'saved')), services.startedAt);
      await buildDevcontainer({
        workspace: folder,
        request: { outputs: [{ type: 'oci', path: join(side, 'layout') }] },
      });
      const ours = describeImage(await readOciLayout(join(side, 'layout')), services.startedAt);
      const lines = compareImages(withParsedLabel(expected), withParsedLabel(ours), {
        // The reference implementation leaves these in the image.
        ignore: [
          '/tmp/dev-container-features',
          '/tmp/dev-container-features/',
          '/tmp/build-features-src',
          '/tmp/build-features-src/',
        ],
      });
      assert.equal(lines.length, 0, `\n${report(lines)}`);
      assert.ok(
        Object.keys(ours.tree).every((path) => !path.startsWith('/tmp/')),
        'nothing is left in /tmp',
      );
    });
  }
});

describe('the cache', () => {
  test('a second build runs nothing and downloads no feature; a probe finds the image', async (t) => {
    const { services } = environment;
    const missing = missingService(services, ['registry']);
    if (missing !== undefined) return t.skip(missing);
    const proxy = await startCountingProxy({ target: services.registry!.host });
    t.after(() => proxy.stop());
    const through = `${proxy.host}/${NAMESPACE}`;
    const config = (shout: boolean) => ({
      image: base(),
      remoteUser: 'user',
      features: {
        [`${through}/hello:1`]: { shout: false },
        [`${through}/bare`]: {},
        [`${through}/zed`]: { shout },
      },
    });
    const cache = { type: 'directory', path: join(dir, 'layer-cache') } as const;
    const request = { cache, push: true };
    const folder = workspace(config(false));
    const first = await buildDevcontainer({ workspace: folder, request });
    assert.equal(first.ran.length, 5);
    assert.equal(blobsOf(proxy).length, 3);
    const history = (first.result.imageConfig.history ?? []).map(({ created_by: by = '' }) => by);
    for (const name of ['hello', 'bare', 'zed'])
      assert.ok(
        history.some((by) => by.startsWith('feature ') && by.includes(`/${name}`)),
        history.join('\n'),
      );
    const before = proxy.requests.length;
    const second = await buildDevcontainer({ workspace: folder, request });
    assert.deepEqual(second.ran, []);
    assert.equal(second.result.imageDigest, first.result.imageDigest);
    const probe = await probeDevcontainer({ workspace: folder, request });
    assert.equal(probe.result.imageDigest, first.result.imageDigest);
    assert.equal(blobsOf(proxy).length, 3);
    assert.equal(proxy.requests.length - before, 6, 'one manifest for each feature');

    const changed = workspace(config(true));
    await assert.rejects(probeDevcontainer({ workspace: changed, request }), {
      code: 'CACHE_MISS',
      message: /not cached: feature \S+ \d\S+ \(\S+\/zed\) \(\S+devcontainer\.json:9,/,
    });
    const third = await buildDevcontainer({ workspace: changed, request });
    assert.deepEqual(
      third.ran.map((text) => /^feature .*\/(\w+)\)$/.exec(text)?.[1] ?? text),
      ['zed', 'RUN rm -rf /tmp/dev-container-features'],
    );
  });

  const blobsOf = ({ requests }: CountingProxy) =>
    requests.filter(({ path }) => path.includes(`${NAMESPACE}/`) && path.includes('/blobs/'));

  test('a lockfile pins what is installed, wherever its tag has moved', async (t) => {
    const { services } = environment;
    const missing = missingService(services, ['registry']);
    if (missing !== undefined) return t.skip(missing);
    const moving = (version: string) => ({
      'moving/devcontainer-feature.json': { id: 'moving', version, name: 'Moving' },
      'moving/install.sh': `#!/bin/sh\necho ${version} >/moving\n`,
    });
    const folder = workspace({ image: base(), features: { [`${features}/moving:1`]: {} } });
    const install = async (lockfile: DefinitionRequest['lockfile']) => {
      const path = join(dir, `moving-${count}`);
      rmSync(path, { recursive: true, force: true });
      await buildDevcontainer({
        workspace: folder,
        definition: { lockfile },
        request: { outputs: [{ type: 'rootfs', path }] },
      });
      return readFileSync(join(path, 'moving'), 'utf8').trim();
    };
    await publish(moving('1.0.0'));
    assert.equal(await install('update'), '1.0.0');
    await publish(moving('1.1.0'));
    assert.equal(await install('frozen'), '1.0.0');
    assert.equal(await install('read'), '1.0.0');
    assert.equal(await install('ignore'), '1.1.0');
    const lockfile = join(folder, '.devcontainer/devcontainer-lock.json');
    const ours = readFileSync(lockfile, 'utf8');
    const upgraded = await referenceCli(['upgrade', `--workspace-folder=${folder}`, '--dry-run']);
    assert.equal(upgraded.code, 0, upgraded.output);
    const theirs = JSON.parse(upgraded.stdout.slice(upgraded.stdout.indexOf('{'))) as Lock;
    const id = `${features}/moving:1`;
    assert.deepEqual(
      Object.keys(theirs.features[id]!),
      Object.keys((JSON.parse(ours) as Lock).features[id]!),
    );
    assert.equal(theirs.features[id]!.version, '1.1.0');
    rmSync(lockfile);
    assert.equal(await install('update'), '1.1.0');
    assert.deepEqual(JSON.parse(readFileSync(lockfile, 'utf8')), theirs);
  });
});

interface Lock {
  readonly features: Readonly<Record<string, { readonly version: string }>>;
}

async function publish(files: Readonly<Record<string, string | object>>): Promise<void> {
  count += 1;
  const source = writeFiles(join(dir, `source-${count}`), files);
  const published = await referenceCli([
    'features',
    'publish',
    `--registry=${registry}`,
    `--namespace=${NAMESPACE}`,
    source,
  ]);
  assert.equal(published.code, 0, published.output);
}

test('private features need credentials, also for their files, and come from the cache the second time', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const proxy = await startAuthProxy({ target: services.registry!.host, user: 'me', password: 'swordfish' });
  t.after(() => proxy.stop());
  const folder = workspace({ image: base(), features: { [`${proxy.host}/${NAMESPACE}/hello`]: {} } });
  await assert.rejects(buildDevcontainer({ workspace: folder }), { code: 'AUTH' });
  const auth = Buffer.from('me:swordfish').toString('base64');
  const dockerConfig = JSON.stringify({ auths: { [proxy.host]: { auth } } });
  const path = join(dir, 'private');
  const request = { cache: { type: 'directory', path: join(dir, 'private-cache') }, push: true } as const;
  const { definition, result, ran } = await buildDevcontainer({
    workspace: folder,
    dockerConfig,
    request: { ...request, outputs: [{ type: 'rootfs', path }] },
  });
  assert.ok(ran.length > 0);
  assert.equal(readFileSync(join(path, 'opt/hello/message'), 'utf8'), 'a message\n');
  assert.doesNotMatch(JSON.stringify(definition), /swordfish/);
  const second = await buildDevcontainer({ workspace: folder, dockerConfig, request });
  assert.deepEqual([second.ran, second.result.imageDigest], [[], result.imageDigest]);
  const probe = await probeDevcontainer({ workspace: folder, dockerConfig, request });
  assert.equal(probe.result.imageDigest, result.imageDigest);
});

test('a feature that fails is named, with its place and its documentation', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const folder = workspace(
    { image: base() },
    {
      '.devcontainer/devcontainer.json': `{\n  "image": "${base()}",\n  "features": { "./outer": {} }\n}\n`,
      '.devcontainer/outer/devcontainer-feature.json': {
        id: 'outer',
        version: '1.0.0',
        dependsOn: { './broken': {} },
      },
      '.devcontainer/outer/install.sh': '#!/bin/sh\n',
      '.devcontainer/broken/devcontainer-feature.json': {
        id: 'broken',
        version: '1.0.0',
        name: 'Broken',
        documentationURL: 'https://example.com/broken',
      },
      '.devcontainer/broken/install.sh': '#!/bin/sh\nexit 7\n',
    },
  );
  const output: string[] = [];
  await assert.rejects(
    buildDevcontainer({
      workspace: folder,
      onEvent: (event) => {
        if (event.type === 'step-output') output.push(event.text);
      },
    }),
    (error) => {
      assert.ok(error instanceof AppError && error.code === 'BUILD_FAILED', String(error));
      assert.equal(error.message, 'feature Broken 1.0.0 (./broken) exited with code 7');
      // What the file has: the feature that needs it.
      const { range, sourceLine } = error.where ?? {};
      assert.deepEqual(
        [range?.file, range?.start, sourceLine],
        [join(folder, '.devcontainer/devcontainer.json'), { line: 3, column: 17 }, undefined],
      );
      return true;
    },
  );
  assert.match(
    output.join(''),
    /Broken 1\.0\.0 \(\.\/broken\) could not be installed\. .*example\.com\/broken/,
  );
});
