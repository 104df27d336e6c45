import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import type { Event } from '../../core/events.ts';
import type { DeferredFiles } from '../../plan/inputs.ts';
import { warningsOf, withWorkspace } from '../testing.ts';
import { prepareFeatures } from './prepare.ts';
import { archiveOf, createTestRegistries, type PublishedFeature, type TestRegistries } from './testing.ts';
import type { FeaturesRequest, FeaturesResult } from './types.ts';

const A = 'r.io/o/f';
const signal = new AbortController().signal;

type Published = Readonly<
  Record<string, Omit<PublishedFeature, 'metadata'> & { metadata?: Readonly<Record<string, unknown>> }>
>;

interface Given {
  readonly published?: Published;
  readonly files?: Readonly<Record<string, string | object>>;
  readonly request: Partial<FeaturesRequest>;
}

interface Prepared extends FeaturesResult {
  readonly registries: TestRegistries;
  readonly warnings: readonly string[];
  readonly folder: string;
}

/** What a request says in a workspace with nothing but a devcontainer.json, whose container is root's. */
function requestIn(folder: string): Omit<FeaturesRequest, 'features' | 'lockfile'> {
  const configFile = join(folder, '.devcontainer/devcontainer.json');
  return {
    overrideInstallOrder: [],
    configFile,
    placedFile: configFile,
    roots: [folder],
    rangeOf: () => undefined,
    dockerfileText: 'FROM base',
    dockerfile: 'Dockerfile',
    image: {},
    containerUser: 'root',
    remoteUser: 'root',
  };
}

/** Prepares features published as `r.io/o/f/NAME:1.0.0`, `:1` and `:latest`. */
async function prepare<T>(given: Given, check: (prepared: Prepared) => T | Promise<T>): Promise<T> {
  const registries = createTestRegistries();
  for (const [name, feature] of Object.entries(given.published ?? {})) {
    const metadata = { id: name, version: '1.0.0', name, ...feature.metadata };
    await registries.publish(`${A}/${name}`, { tags: ['1.0.0', '1', 'latest'], ...feature, metadata });
  }
  const files = { '.devcontainer/devcontainer.json': '{}', ...given.files };
  return withWorkspace(files, async (folder) => {
    const events: Event[] = [];
    const result = await prepareFeatures(
      {
        features: {},
        ...requestIn(folder),
        image: { User: 'dev' },
        containerUser: 'dev',
        remoteUser: 'dev',
        lockfile: 'ignore',
        ...given.request,
      },
      { emit: (event) => events.push(event), signal, registries: registries.registries },
    );
    return check({ ...result, registries, warnings: warningsOf(events), folder });
  });
}

const idsOf = ({ entries }: FeaturesResult) => entries.map(({ id }) => id!.replace(`${A}/`, '')).join(' ');
const feature = (name: string) => `${A}/${name}`;

const deferred = ({ contexts }: FeaturesResult, part: string): DeferredFiles => {
  const [, found] = [...contexts].find(([name]) => name.endsWith(`-${part}`)) ?? [];
  assert.ok(found?.type === 'deferred');
  return found;
};

describe('steps of features', () => {
  const range = { file: 'f', start: { line: 2, column: 3 }, end: { line: 2, column: 9 } };
  const published = { tool: { metadata: { name: 'A\n tool' } } };
  const features = { [feature('tool')]: {} };

  it('are called by name, version and reference, at the place in the file; keys do not change', async () => {
    const [titled, plain] = await Promise.all(
      [range, undefined].map((place) =>
        prepare({ published, request: { features, rangeOf: () => place } }, (prepared) =>
          ['tool', 'users'].map((part) => deferred(prepared, part)),
        ),
      ),
    );
    assert.deepEqual(
      titled!.map(({ about }) => about),
      [
        { title: `feature A  tool 1.0.0 (${feature('tool')})`, range },
        { title: 'users of features', range },
      ],
    );
    assert.deepEqual(
      plain!.map(({ about }) => about),
      [undefined, undefined],
    );
    assert.deepEqual(
      titled!.map(({ digest }) => digest),
      plain!.map(({ digest }) => digest),
    );
  });
});

describe('prepareFeatures', () => {
  it('reads only manifests, installs dependencies once and in order', () =>
    prepare(
      {
        published: {
          app: {
            metadata: {
              dependsOn: { [feature('lib:1')]: { version: '2' } },
              installsAfter: [feature('zsh')],
            },
          },
          lib: { metadata: { options: { version: { type: 'string', default: '1' } } } },
          other: { metadata: { dependsOn: { [feature('lib')]: { version: '2' } } } },
          zsh: {},
        },
        request: { features: { [feature('app:1')]: {}, [feature('other')]: {}, [feature('zsh')]: {} } },
      },
      (prepared) => {
        assert.equal(idsOf(prepared), 'lib:1 zsh app:1 other');
        assert.ok(prepared.registries.asked.every((request) => request.startsWith('resolve ')));
        const { dockerfileText } = prepared;
        assert.equal(dockerfileText.match(/^RUN --mount/gm)?.length, 5);
        assert.match(dockerfileText, /from=dev-container-feature-3-app,/);
        assert.match(dockerfileText, /\nUSER dev\n$/);
      },
    ));

  it('takes a dependency with other options as another feature', () =>
    prepare(
      {
        published: { app: { metadata: { dependsOn: { [feature('lib')]: { version: '2' } } } }, lib: {} },
        request: { features: { [feature('app')]: {}, [feature('lib')]: {} } },
      },
      (prepared) => assert.equal(idsOf(prepared), 'lib lib app'),
    ));

  it('pulls features forward as far as their dependencies allow', () =>
    prepare(
      {
        published: { a: {}, b: {}, c: { metadata: { dependsOn: { [feature('d')]: {} } } }, d: {} },
        request: {
          features: { [feature('a')]: {}, [feature('b:1')]: {}, [feature('c')]: {} },
          overrideInstallOrder: [feature('c'), feature('b'), feature('x')],
        },
      },
      (prepared) => {
        assert.equal(idsOf(prepared), 'b:1 a d c');
        assert.deepEqual(prepared.warnings, [
          'overrideFeatureInstallOrder names "r.io/o/f/x", which is not installed',
        ]);
      },
    ));

  it('knows a soft dependency by its new and its old name', () =>
    prepare(
      {
        published: {
          'a-new': { metadata: { installsAfter: [feature('z-old')] } },
          'b-new': { metadata: { installsAfter: [feature('z-new')] } },
          'z-new': { metadata: { legacyIds: ['z-old'] } },
          'z-old': { metadata: { id: 'z-new', legacyIds: ['z-old'] } },
        },
        request: { features: { [feature('a-new')]: {}, [feature('b-new')]: {}, [feature('z-old')]: {} } },
      },
      (prepared) => {
        assert.equal(idsOf(prepared), 'z-old a-new b-new');
        assert.match(prepared.warnings.join('\n'), /z-old" has been renamed to "z-new"/);
      },
    ));

  it('does not mind soft dependencies that do not exist', () =>
    prepare(
      {
        published: {
          a: { metadata: { installsAfter: [feature('gone'), 'other.io/x/gone', 'gone', '../..'] } },
          b: {},
        },
        request: { features: { [feature('a')]: {}, [feature('b')]: {} } },
      },
      (prepared) => assert.equal(idsOf(prepared), 'a b'),
    ));

  it('reads the archive of a feature whose manifest holds no metadata', () =>
    prepare(
      {
        published: { old: { plain: true, gzip: true, metadata: { containerEnv: { A: 'b' } } } },
        request: { features: { [feature('old')]: {} } },
      },
      (prepared) => {
        assert.match(prepared.dockerfileText, /\nENV A="b"\nRUN --mount/);
        assert.deepEqual(
          prepared.registries.asked.map((request) => request.split(' ')[0]),
          ['resolve', 'get'],
        );
      },
    ));

  it('puts into entries what images carry, under the id that the file has', () =>
    prepare(
      {
        published: {
          a: {
            metadata: {
              containerEnv: { A: 'b' },
              entrypoint: '/a.sh',
              capAdd: ['SYS_PTRACE'],
              privileged: true,
              onCreateCommand: { one: 'x', two: ['y'] },
              customizations: { tool: { z: 1 } },
              extensions: ['ms.x'],
              mounts: ['source=v,target=/v,type=volume'],
            },
          },
        },
        request: { features: { [feature('a:1')]: {} } },
      },
      ({ entries }) =>
        assert.deepEqual(JSON.parse(JSON.stringify(entries)), [
          {
            id: feature('a:1'),
            onCreateCommand: { one: 'x', two: ['y'] },
            privileged: true,
            capAdd: ['SYS_PTRACE'],
            entrypoint: '/a.sh',
            mounts: ['source=v,target=/v,type=volume'],
            customizations: { tool: { z: 1 }, vscode: { extensions: ['ms.x'] } },
          },
        ]),
    ));

  const errors: readonly (readonly [string, Given, RegExp])[] = [
    [
      'a version that does not exist',
      { published: { a: {} }, request: { features: { [feature('a:9')]: {} } } },
      /there is no feature r\.io\/o\/f\/a with the version 9/,
    ],
    [
      'a circle',
      {
        published: {
          a: { metadata: { dependsOn: { [feature('b')]: {} } } },
          b: { metadata: { dependsOn: { [feature('a')]: {} } } },
        },
        request: { features: { [feature('a')]: {} } },
      },
      /circle: r\.io\/o\/f\/a → r\.io\/o\/f\/b → r\.io\/o\/f\/a/,
    ],
    [
      'metadata of a wrong type',
      { published: { a: { metadata: { capAdd: 'x' } } }, request: { features: { [feature('a')]: {} } } },
      /has a wrong "capAdd"/,
    ],
    [
      'a variable that breaks the line',
      {
        published: { a: { metadata: { containerEnv: { A: 'x\nRUN y' } } } },
        request: { features: { [feature('a')]: {} } },
      },
      /wrong "containerEnv": variables have plain names/,
    ],
    [
      'a folder without a feature',
      { request: { features: { './x': {} } } },
      /has no devcontainer-feature.json/,
    ],
  ];
  for (const [name, given, message] of errors) {
    it(`refuses ${name}`, () =>
      assert.rejects(
        prepare(given, () => {}),
        { code: 'DEVCONTAINER', message },
      ));
  }
});

describe('the key of a feature layer', () => {
  const digestFor = (given: Given) => prepare(given, (prepared) => deferred(prepared, '1-a').digest);
  const options = { a: { type: 'string', default: 'x' } };
  const one = (change: Partial<PublishedFeature> = {}, chosen: Record<string, string> = {}): Given => ({
    published: { a: { metadata: { options }, ...change } },
    request: { features: { [feature('a')]: chosen } },
  });

  test('holds its files and its options', async () => {
    const key = await digestFor(one());
    assert.equal(await digestFor(one({}, { a: 'x' })), key);
    assert.notEqual(await digestFor(one({}, { a: 'y' })), key);
    assert.notEqual(await digestFor(one({ files: { extra: 'x' } })), key);
  });

  test('of a local feature does not hold modes and times', async () => {
    const files = {
      '.devcontainer/a/devcontainer-feature.json': { id: 'a' },
      '.devcontainer/a/install.sh': 'true',
    };
    const request = { features: { './a': {} } };
    const key = await digestFor({ files, request });
    assert.equal(await digestFor({ files, request }), key);
    const changed = { ...files, '.devcontainer/a/install.sh': 'false' };
    assert.notEqual(await digestFor({ files: changed, request }), key);
  });
});

describe('the files of a feature layer', () => {
  it('are the feature, its options and the script, made when they are asked for', () =>
    prepare(
      {
        published: { a: { files: { 'lib/x': 'content' }, metadata: { options: { v: { default: '1' } } } } },
        request: { features: { [feature('a')]: {} } },
      },
      async (prepared) => {
        const directory = join(prepared.folder, 'out');
        mkdirSync(directory);
        const { open } = prepared.registries.registries;
        await deferred(prepared, '1-a').write(directory, { open, signal });
        assert.equal(readFileSync(join(directory, 'files/lib/x'), 'utf8'), 'content');
        assert.equal(readFileSync(join(directory, 'files/devcontainer-features.env'), 'utf8'), 'V="1"\n');
        assert.match(readFileSync(join(directory, 'install'), 'utf8'), /\/tmp\/dev-container-features\/a_0/);
        assert.deepEqual(prepared.registries.asked.at(-1), `get ${A}/a`);
      },
    ));
});

describe('features of releases on GitHub', () => {
  const archive = (id: string) =>
    archiveOf({ './devcontainer-feature.json': `{"id":"${id}","version":"1.0.0"}`, './install.sh': '' });

  it('are downloaded, warned about, ordered by what names them, and not locked', () =>
    withWorkspace({ '.devcontainer/devcontainer.json': '{}' }, async (folder) => {
      const registries = createTestRegistries();
      registries.urls.set('https://github.com/o/r/releases/download/v1/a.tgz', archive('a'));
      registries.urls.set('https://github.com/o/r/releases/latest/download/b.tgz', archive('b'));
      const events: Event[] = [];
      const { entries, featuresConfiguration } = await prepareFeatures(
        {
          features: { 'o/r/a@v1': {}, 'o/r/b': {} },
          ...requestIn(folder),
          overrideInstallOrder: ['o/r/b@other'],
          lockfile: 'update',
        },
        { emit: (event) => events.push(event), signal, registries: registries.registries },
      );
      assert.deepEqual(
        entries.map(({ id }) => id),
        ['o/r/b', 'o/r/a@v1'],
      );
      assert.deepEqual(
        warningsOf(events),
        entries.map(
          ({ id }) =>
            `the feature "${id}" is taken from a release on GitHub, as before features were in registries`,
        ),
      );
      const { featureSets } = featuresConfiguration as {
        featureSets: readonly { sourceInformation: Readonly<Record<string, unknown>> }[];
      };
      // As the reference implementation prints it.
      assert.deepEqual(featureSets[1]!.sourceInformation, {
        type: 'github-repo',
        apiUri: 'https://api.github.com/repos/o/r/releases/tags/v1',
        unauthenticatedUri: 'https://github.com/o/r/releases/download/v1',
        owner: 'o',
        repo: 'r',
        tag: 'v1',
        isLatest: false,
        userFeatureId: 'o/r/a@v1',
        userFeatureIdWithoutVersion: 'o/r/a',
      });
      const lockfile = join(folder, '.devcontainer/devcontainer-lock.json');
      if (existsSync(lockfile)) assert.doesNotMatch(readFileSync(lockfile, 'utf8'), /o\/r/);
    }));
});

describe('features behind a URL', () => {
  const url = 'https://me:secret@example.com/devcontainer-feature-t.tgz';
  const tar = archiveOf({ './devcontainer-feature.json': '{"id":"t"}', './install.sh': '' });
  const load = (pin?: string) =>
    withWorkspace({ '.devcontainer/devcontainer.json': '{}' }, (folder) => {
      const registries = createTestRegistries();
      registries.urls.set(url, tar);
      const lock = { features: { [url]: { version: '1', resolved: url, integrity: pin } } };
      if (pin) writeFileSync(join(folder, '.devcontainer/devcontainer-lock.json'), JSON.stringify(lock));
      return prepareFeatures(
        {
          features: { [url]: {} },
          ...requestIn(folder),
          lockfile: 'read',
        },
        { emit: () => {}, signal, registries: registries.registries },
      );
    });

  it('are downloaded, and show no credentials', async () => {
    const result = await load();
    assert.doesNotMatch(JSON.stringify([result.dockerfileText, result.entries]), /secret/);
    assert.match(result.dockerfileText, /\nUSER root\n$/);
  });

  it('must be what the lockfile says', async () => {
    await load(digestOf(tar));
    await assert.rejects(load(digestOf('other')), { code: 'CORRUPT', message: /devcontainer-lock\.json/ });
  });
});

describe('the lockfile', () => {
  const published: Published = {
    a: { metadata: { version: '1.2.3', dependsOn: { [feature('b:1')]: {} } } },
    b: { metadata: { version: '1.9.0' } },
  };
  const files = {
    '.devcontainer/l/devcontainer-feature.json': { id: 'l' },
    '.devcontainer/l/install.sh': '',
  };
  const features = { [feature('a')]: {}, './l': {} };

  it('is written with versions, digests and dependencies, without local features', () =>
    prepare(
      { published, files, request: { features, lockfile: 'update' } },
      ({ folder, featuresConfiguration }) => {
        const lock = JSON.parse(readFileSync(join(folder, '.devcontainer/devcontainer-lock.json'), 'utf8'));
        const { featureSets } = featuresConfiguration as { featureSets: { computedDigest?: string }[] };
        const [b, a] = featureSets.flatMap(({ computedDigest }) => computedDigest ?? []);
        assert.deepEqual(lock, {
          features: {
            [feature('a')]: {
              version: '1.2.3',
              resolved: `${feature('a')}@${a}`,
              integrity: a,
              dependsOn: [feature('b:1')],
            },
            [feature('b:1')]: { version: '1.9.0', resolved: `${feature('b')}@${b}`, integrity: b },
          },
        });
      },
    ));

  it('is not written otherwise', async () => {
    for (const lockfile of ['read', 'ignore'] as const) {
      await prepare({ published, files, request: { features, lockfile } }, ({ folder }) =>
        assert.ok(!existsSync(join(folder, '.devcontainer/devcontainer-lock.json'))),
      );
    }
    await assert.rejects(
      prepare({ published, files, request: { features, lockfile: 'frozen' } }, () => {}),
      { code: 'DEVCONTAINER', message: /frozen/ },
    );
  });

  it('decides which version is taken', () => {
    const old = digestOf('an old manifest');
    const lock = { features: { [feature('a')]: { version: '1.0.0', resolved: 'x', integrity: old } } };
    const pinned = { '.devcontainer/devcontainer-lock.json': lock };
    return assert.rejects(
      prepare(
        { published, files: pinned, request: { features: { [feature('a')]: {} }, lockfile: 'read' } },
        () => {},
      ),
      { code: 'DEVCONTAINER', message: new RegExp(`with the version ${old}`) },
    );
  });
});
