import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { tempDir } from '../core/testing.ts';
import { loadDefinition } from './load.ts';
import { fakeRegistries, testRequest } from './testing.ts';
import type { DefinitionRequest } from './types.ts';

const DOCKERFILE = { build: { dockerfile: 'Dockerfile' } };

interface Case {
  readonly about: string;
  /** Where devcontainer.json lies, and the option that names it. */
  readonly file: string;
  readonly path?: string;
  readonly dir?: string;
  readonly config?: object;
  /** Further files, empty. */
  readonly files: readonly string[];
  /** The Dockerfile that is built, or the code of the error. */
  readonly result: string;
  /** Its context, where that is not its folder. */
  readonly context?: string;
}

/**
 * The Go program takes all paths of a file relative to ENVBUILDER_DEVCONTAINER_DIR, `.devcontainer` by default, wherever
 * ENVBUILDER_DEVCONTAINER_JSON_PATH says that the file is (findDevcontainerJSON in its envbuilder.go). The specification
 * has them relative to the file.
 */
const CASES: readonly Case[] = [
  {
    about: 'outside of the repository: the folder of the repository, as in the Go program',
    file: 'operator/devcontainer.json',
    path: '@/operator/devcontainer.json',
    files: ['app/.devcontainer/Dockerfile', 'operator/Dockerfile'],
    result: 'app/.devcontainer/Dockerfile',
  },
  {
    about: 'outside, with a context',
    file: 'operator/devcontainer.json',
    path: '@/operator/devcontainer.json',
    config: { build: { dockerfile: 'Dockerfile', context: '..' } },
    files: ['app/.devcontainer/Dockerfile'],
    result: 'app/.devcontainer/Dockerfile',
    context: 'app',
  },
  {
    about: 'outside, with the old property',
    file: 'operator/devcontainer.json',
    path: '@/operator/devcontainer.json',
    config: { dockerFile: 'Dockerfile' },
    files: ['app/.devcontainer/Dockerfile'],
    result: 'app/.devcontainer/Dockerfile',
  },
  {
    about: 'outside, and the folder is another one',
    file: 'operator/devcontainer.json',
    path: '@/operator/devcontainer.json',
    dir: 'tools',
    files: ['app/.devcontainer/Dockerfile', 'app/tools/Dockerfile'],
    result: 'app/tools/Dockerfile',
  },
  {
    about: 'outside, and the folder is outside too, somewhere else',
    file: 'operator/devcontainer.json',
    path: '@/operator/devcontainer.json',
    dir: '@/builds',
    files: ['builds/Dockerfile'],
    result: 'builds/Dockerfile',
  },
  {
    about: 'outside, and the Dockerfile is there alone: a definition that is complete',
    file: 'operator/devcontainer.json',
    path: '@/operator/devcontainer.json',
    files: ['operator/Dockerfile'],
    result: 'operator/Dockerfile',
  },
  {
    about: 'outside, and the Dockerfile is nowhere',
    file: 'operator/devcontainer.json',
    path: '@/operator/devcontainer.json',
    files: [],
    result: 'DEVCONTAINER',
  },
  {
    about: 'inside, by an absolute path: relative to the file',
    file: 'app/.devcontainer/go/devcontainer.json',
    path: '@/app/.devcontainer/go/devcontainer.json',
    files: ['app/.devcontainer/Dockerfile', 'app/.devcontainer/go/Dockerfile'],
    result: 'app/.devcontainer/go/Dockerfile',
  },
  {
    about: 'inside, and the Dockerfile is where the Go program looks alone',
    file: 'app/.devcontainer/go/devcontainer.json',
    path: 'go/devcontainer.json',
    files: ['app/.devcontainer/Dockerfile'],
    result: 'app/.devcontainer/Dockerfile',
  },
  {
    about: 'found, not named: relative to the file, as everywhere',
    file: 'app/.devcontainer.json',
    files: ['app/.devcontainer/Dockerfile'],
    result: 'DEVCONTAINER',
  },
];

interface Loaded {
  readonly build?: { readonly dockerfile: string; readonly context: string };
  readonly error?: AppError;
  readonly texts: readonly string[];
}

async function load(dir: string, request: Partial<DefinitionRequest>): Promise<Loaded> {
  const events: Event[] = [];
  const registries = fakeRegistries({ base: {} });
  const deps = {
    emit: (event: Event) => void events.push(event),
    signal: new AbortController().signal,
    registries,
  };
  const found = await loadDefinition({ ...testRequest(join(dir, 'app')), ...request }, deps).catch(
    (error: unknown) => {
      if (error instanceof AppError) return error;
      throw error;
    },
  );
  const texts = events.flatMap((event) => ('text' in event ? [event.text] : []));
  if (found instanceof AppError) return { error: found, texts };
  const { dockerfile, context } = found.build;
  return { build: { dockerfile: relative(dir, dockerfile), context: relative(dir, context) }, texts };
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

for (const { about, file, path, dir, config = DOCKERFILE, files, result, context } of CASES) {
  test(about, async (t) => {
    const top = tempDir(t);
    mkdirSync(join(top, 'app/.devcontainer'), { recursive: true });
    for (const each of files) write(join(top, each), 'FROM base\n');
    write(join(top, file), JSON.stringify(config));
    const absolute = (text: string): string => text.replace(/^@/, top);
    const { build, error, texts } = await load(top, {
      ...(path === undefined ? {} : { devcontainerJsonPath: absolute(path) }),
      ...(dir === undefined ? {} : { devcontainerDir: absolute(dir) }),
    });
    assert.equal(error?.code ?? build?.dockerfile, result);
    if (!build) return;
    assert.equal(build.context, context ?? dirname(result));
    const said = texts.some((text) => text.startsWith('Dockerfile of '));
    assert.equal(
      said,
      dirname(result) !== dirname(file),
      'it is said where it is not the folder of the file',
    );
  });
}

test('a link in the repository does not lead to what lies around a file of the operator', async (t) => {
  const top = tempDir(t);
  write(join(top, 'operator/devcontainer.json'), JSON.stringify(DOCKERFILE));
  write(join(top, 'operator/token'), 'FROM base\n');
  mkdirSync(join(top, 'app/.devcontainer'), { recursive: true });
  symlinkSync(join(top, 'operator/token'), join(top, 'app/.devcontainer/Dockerfile'));
  const devcontainerJsonPath = join(top, 'operator/devcontainer.json');
  const { error } = await load(top, { devcontainerJsonPath });
  assert.equal(error?.code, 'DEVCONTAINER', 'it counts as missing, and that of the file as well');
});

test('features and Compose files are found there too', async (t) => {
  const top = tempDir(t);
  const file = join(top, 'operator/devcontainer.json');
  const at = (name: string): string => join(top, 'app/.devcontainer', name);
  write(file, JSON.stringify({ image: 'base', features: { './own': {} } }));
  write(at('own/devcontainer-feature.json'), JSON.stringify({ id: 'own', version: '1.0.0', name: 'own' }));
  write(at('own/install.sh'), 'true\n');
  const features = await load(top, { devcontainerJsonPath: file });
  assert.equal(features.error, undefined);
  write(file, JSON.stringify({ dockerComposeFile: 'c.yml', service: 'app' }));
  write(at('c.yml'), 'services: { app: { build: . } }\n');
  write(at('Dockerfile'), 'FROM base\n');
  const compose = await load(top, { devcontainerJsonPath: file });
  assert.equal(compose.build?.dockerfile, 'app/.devcontainer/Dockerfile', String(compose.error));
});
