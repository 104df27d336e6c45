import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { loadDefinition } from './load.ts';
import { fakeRegistries, testRequest } from './testing.ts';
import type { DefinitionRequest } from './types.ts';

/* What a definition names stays in its repository: every property by every way out, and every way that stays inside. */

const CANARY = 'CANARY-4711';

/** A property that names a path; the files are written in the workspace, PATH in them is the path. */
interface Property {
  readonly name: string;
  /** What it has to lead to. */
  readonly target: 'Dockerfile' | 'compose.yml' | 'env' | 'directory' | 'feature';
  readonly config: object;
  readonly files?: Readonly<Record<string, string>>;
  /** In which file, by its end, the error points. */
  readonly place?: RegExp;
}

const compose = (text: string) => ({
  config: { dockerComposeFile: 'c.yml', service: 'app' },
  files: { '.devcontainer/c.yml': text, '.devcontainer/Dockerfile': 'FROM scratch\n' },
  place: /c\.yml$/,
});
const IMAGE = 'services: { app: { image: base } }\n';

const PROPERTIES: readonly Property[] = [
  { name: 'build.dockerfile', target: 'Dockerfile', config: { build: { dockerfile: 'PATH', context: '.' } } },
  { name: 'dockerFile', target: 'Dockerfile', config: { dockerFile: 'PATH', context: '.' } },
  {
    name: 'build.context',
    target: 'directory',
    config: { build: { dockerfile: 'Dockerfile', context: 'PATH' } },
  },
  { name: 'context', target: 'directory', config: { dockerFile: 'Dockerfile', context: 'PATH' } },
  {
    name: 'build.options --build-context x',
    target: 'directory',
    // Relative to the workspace.
    config: { build: { dockerfile: 'Dockerfile', options: ['--build-context=x=.devcontainer/PATH'] } },
  },
  { name: 'dockerComposeFile', target: 'compose.yml', config: { dockerComposeFile: 'PATH', service: 'app' } },
  {
    name: 'dockerComposeFile',
    target: 'compose.yml',
    config: { dockerComposeFile: ['c.yml', 'PATH'], service: 'app' },
    files: { '.devcontainer/c.yml': IMAGE },
  },
  { name: 'include', target: 'compose.yml', ...compose(`include: ["PATH"]\n${IMAGE}`) },
  { name: 'include', target: 'compose.yml', ...compose(`include: [{ path: "PATH" }]\n${IMAGE}`) },
  { name: 'include', target: 'compose.yml', ...compose(`include: [{ path: ["PATH"] }]\n${IMAGE}`) },
  {
    name: 'extends.file',
    target: 'compose.yml',
    ...compose('services:\n  app:\n    extends: { file: "PATH", service: app }\n'),
  },
  { name: 'build.context', target: 'directory', ...compose('services:\n  app:\n    build: "PATH"\n') },
  {
    name: 'build.context',
    target: 'directory',
    ...compose('services:\n  app:\n    build: { context: "PATH" }\n'),
  },
  {
    name: 'build.dockerfile',
    target: 'Dockerfile',
    ...compose('services:\n  app:\n    build: { context: ".", dockerfile: "PATH" }\n'),
  },
  {
    name: 'build.additional_contexts.x',
    target: 'directory',
    ...compose('services:\n  app:\n    build: { context: ".", additional_contexts: { x: "PATH" } }\n'),
  },
  {
    name: 'build.additional_contexts.x',
    target: 'directory',
    ...compose('services:\n  app:\n    build: { context: ".", additional_contexts: ["x=PATH"] }\n'),
  },
  { name: 'env_file', target: 'env', ...compose('services:\n  app: { image: base, env_file: "PATH" }\n') },
  { name: 'env_file', target: 'env', ...compose('services:\n  app: { image: base, env_file: ["PATH"] }\n') },
  {
    name: 'env_file',
    target: 'env',
    ...compose('services:\n  app: { image: base, env_file: [{ path: "PATH" }] }\n'),
  },
  {
    name: 'env_file',
    target: 'env',
    ...compose(
      'services:\n  app: { image: base, env_file: [{ path: "PATH", required: false, format: raw }] }\n',
    ),
  },
  { name: 'features ./PATH', target: 'feature', config: { image: 'base', features: { './PATH': {} } } },
];

/** Files whose own names are fixed, so that a link is the only way out. */
const FIXED: readonly (Property & { readonly at: string })[] = [
  { name: 'the dev container file', at: '.devcontainer/devcontainer.json', target: 'env', config: {} },
  {
    name: 'the file .env of the Compose project',
    at: '.devcontainer/.env',
    target: 'env',
    ...compose(IMAGE),
  },
  {
    name: 'the lockfile of features',
    at: '.devcontainer/devcontainer-lock.json',
    target: 'env',
    config: { image: 'base', features: { './feature': {} } },
    files: { '.devcontainer/feature/devcontainer-feature.json': '{"id":"feature","version":"1.0.0"}' },
  },
];

/** Ways to a target. Each gives what stands in the file, after it has made links in the folder that this is relative to. */
const WAYS: Readonly<Record<string, (target: string, folder: string) => string>> = {
  'two dots': (target, folder) => relative(folder, target),
  'an absolute path': (target) => target,
  'a link': (target, folder) => {
    symlinkSync(target, join(folder, 'link'));
    return 'link';
  },
  'a link on the way': (target, folder) => {
    symlinkSync(dirname(target), join(folder, 'way'));
    return join('way', relative(dirname(target), target));
  },
  'a chain of links': (target, folder) => {
    mkdirSync(join(folder, 'deep'), { recursive: true });
    symlinkSync('deep/two', join(folder, 'one'));
    symlinkSync('../../three', join(folder, 'deep/two'));
    symlinkSync(relative(join(folder, '..'), target), join(folder, '../three'));
    return 'one';
  },
  'two dots through a link': (target, folder) => {
    mkdirSync(join(folder, '../a/b'), { recursive: true });
    symlinkSync('../a/b', join(folder, 'up'));
    symlinkSync(relative(join(folder, '../a/b'), target), join(folder, '../a/b/last'));
    return 'up/last';
  },
};

const VALID: Readonly<Record<Property['target'], Readonly<Record<string, string>>>> = {
  Dockerfile: { Dockerfile: 'FROM scratch\n' },
  'compose.yml': { 'compose.yml': IMAGE },
  env: { env: 'A=b\n' },
  directory: { 'directory/Dockerfile': 'FROM scratch\n' },
  feature: {
    'feature/devcontainer-feature.json': '{"id":"feature","version":"1.0.0"}',
    'feature/install.sh': '',
  },
};

interface Place {
  /** A directory with `repository` and `outside` in it. */
  readonly dir: string;
  readonly workspace: string;
  readonly folder: string;
}

function make(t: TestContext, { config, files = {} }: Property, workspace = 'repository'): Place {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'outside-')));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const place = { dir, workspace: join(dir, workspace), folder: join(dir, workspace, '.devcontainer') };
  write(place.workspace, {
    '.devcontainer/Dockerfile': 'FROM scratch\n',
    '.devcontainer/devcontainer.json': JSON.stringify(config, null, 2),
    ...files,
  });
  return place;
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Puts a path where PATH stands. */
function fill({ workspace }: Place, { config, files = {} }: Property, path: string): void {
  const all = { ...files, '.devcontainer/devcontainer.json': JSON.stringify(config, null, 2) };
  const absolute = path.startsWith('/');
  const put = (text: string): string =>
    text.replaceAll(absolute ? /(?:\.devcontainer\/|\.\/)?PATH/g : /PATH/g, path);
  write(workspace, Object.fromEntries(Object.entries(all).map(([name, text]) => [name, put(text)])));
}

async function load(workspaceFolder: string, more: Partial<DefinitionRequest> = {}) {
  const events: Event[] = [];
  const request = { ...testRequest(workspaceFolder), lockfile: 'read' as const, ...more };
  const deps = {
    emit: (event: Event): void => void events.push(event),
    signal: new AbortController().signal,
    registries: fakeRegistries({ base: {}, scratch: {} }),
  };
  const result = await loadDefinition(request, deps).catch((error: unknown) => error);
  return { result, events };
}

function assertRefused({ result, events }: Awaited<ReturnType<typeof load>>, property: Property): void {
  assert.ok(result instanceof AppError, JSON.stringify(result));
  const { code, message, hint, where } = result;
  const causes = `${result.cause} ${(result.cause as Error | undefined)?.cause}`;
  assert.ok(!JSON.stringify([message, hint, where, causes, events]).includes(CANARY), 'the canary is told');
  // A local feature has its own place to stay in, which is narrower.
  if (property.target === 'feature' && code === 'DEVCONTAINER') return;
  assert.equal(code, 'OUTSIDE', message);
  if (property.target !== 'feature') assert.ok(message.startsWith(`${property.name} `), message);
  assert.match(hint ?? '', /--allow-outside/);
  const { place = /devcontainer\.json$/ } = property;
  assert.match(where?.range?.file ?? where?.path ?? '', place);
}

const label = ({ name, config, files }: Property, i: number): string =>
  `${i}. ${name} in ${files?.['.devcontainer/c.yml']?.replaceAll('\n', ' ') ?? JSON.stringify(config)}`;

for (const [i, property] of PROPERTIES.entries()) {
  describe(label(property, i), () => {
    for (const [name, way] of Object.entries(WAYS)) {
      test(`outside by ${name}`, async (t) => {
        const place = make(t, property);
        write(join(place.dir, 'outside'), { [property.target]: `root:${CANARY}:1\n` });
        fill(place, property, way(join(place.dir, 'outside', property.target), place.folder));
        assertRefused(await load(place.workspace), property);
      });

      test(`outside by ${name}, where nothing is`, async (t) => {
        const place = make(t, property);
        fill(place, property, way(join(place.dir, 'outside', 'none'), place.folder));
        assertRefused(await load(place.workspace), property);
      });

      // Features lie below .devcontainer.
      if (property.target === 'feature') continue;

      test(`inside by ${name}`, async (t) => {
        const place = make(t, property);
        write(join(place.workspace, 'inside'), VALID[property.target]);
        fill(place, property, way(join(place.workspace, 'inside', property.target), place.folder));
        const { result } = await load(place.workspace);
        assert.ok(!(result instanceof Error), String(result));
      });

      test(`above the workspace, in its git repository, by ${name}`, async (t) => {
        const place = make(t, property, 'repository/packages/app');
        const top = join(place.dir, 'repository');
        write(top, { '.git/HEAD': 'ref: refs/heads/main\n' });
        write(join(top, 'shared'), VALID[property.target]);
        fill(place, property, way(join(top, 'shared', property.target), place.folder));
        const { result } = await load(place.workspace);
        assert.ok(!(result instanceof Error), String(result));
      });

      test(`in a directory that is allowed, by ${name}`, async (t) => {
        const place = make(t, property);
        const outside = join(place.dir, 'outside');
        write(outside, VALID[property.target]);
        fill(place, property, way(join(outside, property.target), place.folder));
        const { result } = await load(place.workspace, { allowOutside: [outside] });
        assert.ok(!(result instanceof Error), String(result));
        const other = await load(place.workspace, { allowOutside: [`${outside}-else`] });
        assertRefused(other, property);
      });
    }
  });
}

for (const property of FIXED) {
  describe(`${property.name} as a link`, () => {
    for (const chain of [false, true]) {
      test(chain ? 'by a chain' : 'alone', async (t) => {
        const place = make(t, property);
        fill(place, property, 'PATH');
        const [at, outside] = [join(place.workspace, property.at), join(place.dir, 'outside/env')];
        write(join(place.dir, 'outside'), { env: `root:${CANARY}:1\n` });
        rmSync(at, { force: true });
        if (chain) symlinkSync(outside, join(place.workspace, 'middle'));
        symlinkSync(chain ? '../middle' : outside, at);
        const found = await load(place.workspace);
        assert.ok(found.result instanceof AppError);
        assert.equal(found.result.code, 'OUTSIDE', found.result.message);
        assert.ok(found.result.message.startsWith(property.name), found.result.message);
        assert.ok(!JSON.stringify([found.result.message, found.result.where, found.events]).includes(CANARY));
      });
    }
  });
}

test('a folder of the dev container that is a link', async (t) => {
  const place = make(t, PROPERTIES[0]!);
  rmSync(place.folder, { recursive: true });
  write(join(place.dir, 'outside'), { 'devcontainer.json': '{ "image": "base" }' });
  symlinkSync('../outside', place.folder);
  const { result } = await load(place.workspace);
  assert.equal((result as AppError).code, 'OUTSIDE');
});

test('a file that the operator names may lie anywhere, with what lies around it, but no link in the repository leads out', async (t) => {
  const place = make(t, PROPERTIES[0]!);
  write(join(place.dir, 'operator'), {
    'devcontainer.json': '{ "build": { "dockerfile": "Dockerfile" } }',
    Dockerfile: 'FROM scratch\n',
  });
  const devcontainerJsonPath = join(place.dir, 'operator/devcontainer.json');
  const { result } = await load(place.workspace, { devcontainerJsonPath });
  assert.ok(!(result instanceof Error), String(result));
  symlinkSync(devcontainerJsonPath, join(place.folder, 'linked.json'));
  const linked = await load(place.workspace, { devcontainerJsonPath: 'linked.json' });
  assert.equal((linked.result as AppError).code, 'OUTSIDE');
});

test('what has no effect here is not read either', async (t) => {
  const property: Property = {
    name: '',
    target: 'env',
    config: {
      dockerComposeFile: 'c.yml',
      service: 'app',
      mounts: ['source=/etc,target=/x,type=bind'],
      runArgs: ['--env-file', 'PATH', '--volume=/etc:/y'],
    },
    files: {
      '.devcontainer/c.yml': `services:
  app:
    image: base
    secrets: [s]
    configs: [c]
    volumes: ["PATH:/v"]
    label_file: PATH
secrets: { s: { file: "PATH" } }
configs: { c: { file: "PATH" } }
`,
    },
  };
  const place = make(t, property);
  write(join(place.dir, 'outside'), { env: `A=${CANARY}\n` });
  fill(place, property, join(place.dir, 'outside/env'));
  const { result, events } = await load(place.workspace);
  assert.ok(!(result instanceof Error), String(result));
  assert.ok(!JSON.stringify([result, events], (_, v) => (v instanceof Map ? [...v] : v)).includes(CANARY));
});
