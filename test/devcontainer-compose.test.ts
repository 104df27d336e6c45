import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { dockerCompose } from '../scripts/lib/docker-compose.ts';
import { capture } from '../scripts/lib/shell.ts';
import { type ComposeService, composeService } from '../src/devcontainer/compose/service.ts';

/** What Docker Compose makes of the same files is the specification; `config` needs no engine. */

const ENV = { SET: 'set', EMPTY: '', NUMBER: '7' };

let dir: string;
let compose: string | undefined;
let reason = '';
before(async () => {
  dir = temporaryDir('compose');
  compose = await dockerCompose(dir).catch((error) => {
    reason = String(error);
    return undefined;
  });
});
after(() => rmSync(dir, { recursive: true, force: true }));

type Files = Readonly<Record<string, string>>;
type Service = Readonly<Record<string, unknown>>;

let count = 0;

/** Writes files into a folder of their own. */
function project(files: Files): string {
  count += 1;
  const folder = join(dir, `project${count}`, 'inner');
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** The service as Docker Compose sees it; undefined when it refuses the files. */
async function theirs(folder: string, names: readonly string[]): Promise<Service | undefined> {
  const args = names.flatMap((name) => ['-f', join(folder, name)]);
  const { code, stdout } = await capture(compose!, [...args, 'config', '--format', 'json'], {
    env: { ...ENV, COMPOSE_PROJECT_NAME: undefined },
    cwd: folder,
  });
  // What it prints can be read as a Compose file again, so dollar signs are doubled.
  return code === 0 ? JSON.parse(stdout.toString().replaceAll('$$', '$')).services.app : undefined;
}

function ours(folder: string, names: readonly string[]): ComposeService {
  const files = names.map((name) => join(folder, name));
  return composeService({
    files,
    service: 'app',
    env: ENV,
    roots: ['/'],
    by: 'definition',
    where: {},
    serviceWhere: {},
  });
}

/** The parts of Compose's answer that make a dev container, in the shape of ours. */
function comparable(service: Service): object {
  const build = service.build as Record<string, unknown> | undefined;
  const volumes = (service.volumes ?? []) as Record<string, unknown>[];
  return {
    build: build && {
      context: build.context,
      dockerfile: build.dockerfile_inline === undefined ? build.dockerfile : undefined,
      inline: build.dockerfile_inline,
      target: build.target,
      args: withoutNulls(build.args),
      contexts: withoutNulls(build.additional_contexts),
      labels: withoutNulls(build.labels),
    },
    image: service.image,
    platform: service.platform,
    user: service.user,
    environment: withoutNulls(service.environment),
    volumes: volumes.map(({ type, source, target }) => ({ type, source, target })),
  };
}

function comparableOurs(service: ComposeService): object {
  const { build } = service;
  return {
    build: build && {
      context: build.context,
      dockerfile: build.dockerfileInline === undefined ? build.dockerfile : undefined,
      inline: build.dockerfileInline,
      target: build.target,
      args: build.args,
      contexts: build.contexts,
      labels: build.labels,
    },
    image: service.image,
    platform: service.platform,
    user: service.user,
    environment: service.environment,
    volumes: service.volumes.map(({ type, source, target }) => ({ type, source, target })),
  };
}

function withoutNulls(value: unknown): object {
  const entries = Object.entries((value ?? {}) as object).filter(([, item]) => item !== null);
  return Object.fromEntries(entries);
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const CASES: Readonly<Record<string, Files>> = {
  'short and long forms': {
    'a.yml': `
x-env: &env { A: 1, B: "\${SET}" }
services:
  app:
    build: ..
    environment: { <<: *env, C: true, D: 1.50, E: null, SET: null }
    volumes: [".:/w:ro", data:/d, /anonymous, { type: bind, source: ../x, target: /x }, { type: tmpfs, target: /t }]
    user: 1000:1000
    platform: linux/amd64
volumes: { data: }
`,
  },
  'build in full': {
    'a.yml': `
services:
  app:
    image: name
    build:
      context: ./sub
      dockerfile: ../D
      target: t
      args: [A=1, SET, UNSET, "B=a=b"]
      additional_contexts: [x=./x, y=docker-image://z]
      labels: [l=1]
`,
    'sub/keep': '',
  },
  'an inline Dockerfile': {
    'a.yml':
      'services:\n  app:\n    build:\n      context: .\n      dockerfile_inline: |\n        FROM $$x\n',
  },
  'several files': {
    'a.yml': `
services:
  app:
    image: one
    environment: [A=1, B=1]
    env_file: a.env
    volumes: [".:/w", "./a:/a"]
    command: [a]
    build: { context: ., args: { X: 1, Y: 1 } }
`,
    'b.yml': `
services:
  app:
    image: two
    environment: { B: 2, C: 2 }
    env_file: [{ path: b.env }, { path: missing.env, required: false }]
    volumes: ["./b:/a", "./c:/c"]
    build: { args: [Y=2, Z=2], target: t }
`,
    'a.env': 'EA=1\nEB=1\nA=env\n',
    'b.env': 'EB=2\n',
  },
  'reset and override': {
    'a.yml':
      'services:\n  app:\n    image: one\n    user: u\n    environment: { A: 1, B: 1 }\n    volumes: ["./a:/a"]\n',
    'b.yml':
      'services:\n  app:\n    user: !reset null\n    environment: !override { C: 1 }\n    volumes: !override ["./b:/b"]\n',
  },
  'extends in one file': {
    'a.yml': `
services:
  base: { image: one, environment: { A: 1, B: 1 } }
  middle: { extends: base, environment: { B: 2 } }
  app: { extends: { service: middle }, environment: { C: 3 } }
`,
  },
  'extends another file, with its own folder': {
    'a.yml':
      'services:\n  app:\n    extends: { file: other/base.yml, service: base }\n    environment: { A: 2 }\n',
    'other/base.yml': `
services:
  base:
    build: { context: ., dockerfile: D }
    env_file: base.env
    volumes: ["./v:/v"]
    environment: { A: 1, B: "\${NUMBER}" }
`,
    'other/base.env': 'FROM_FILE=1\n',
  },
  'included files': {
    'a.yml': 'include:\n  - other/b.yml\nservices:\n  web: { image: x }\n',
    'other/b.yml': 'services:\n  app:\n    image: "i-${LOCAL}"\n    build: .\n    volumes: ["./v:/v"]\n',
    'other/.env': 'LOCAL=local\n',
  },
  'the .env file': {
    'a.yml':
      'services:\n  app:\n    image: "${DOT}-${SET}-${MORE}"\n    environment: { DOT: , MORE: "$MORE", P: "$$HOME" }\n',
    '.env': 'DOT=dot\nSET=other\n# note\nMORE="${DOT} more"\n',
  },
  'env files': {
    'a.yml': 'services:\n  app:\n    image: x\n    env_file: e.env\n',
    'e.env': [
      'PLAIN=a b',
      'NOTE=a # note',
      'HASH=a#b',
      "SINGLE='$SET # \\n'",
      'DOUBLE="a\\nb\\t\\"q\\" $SET ${UNSET:-d}"',
      'BARE=$SET/${NUMBER}',
      'ESCAPED="\\$SET"',
      'export EXPORTED=1',
      'SPACED = 1',
      'COLON: 1',
      'EMPTY_HERE=',
      'SET',
      'UNSET_NAME',
      'MULTI="one',
      'two"',
      'REF=${PLAIN}!',
      '  INDENTED=1',
      'DOTTED.NAME=1',
      "TRAILING='x' # note",
      'EQUALS=a=b=c',
    ].join('\n'),
  },
};

for (const [name, files] of Object.entries(CASES)) {
  test(`as Docker Compose: ${name}`, async (t) => {
    if (compose === undefined) return t.skip(reason);
    const folder = project(files);
    const names = Object.keys(files).filter((file) => /^[a-z]\.yml$/.test(file));
    const expected = await theirs(folder, names);
    assert.ok(expected, 'Docker Compose refuses the files');
    assert.deepEqual(plain(comparableOurs(ours(folder, names))), plain(comparable(expected)));
  });
}

const REFUSED: readonly string[] = [
  '${',
  '${A',
  '${}',
  '${A:?no}',
  '${A?}',
  '${A!}',
  '${1A}',
  '${A:=b}',
  '${UNSET:-${UNSET:-x}',
  '${SET:-${',
  '${SET:-${UNSET:?no}}',
];

test('as Docker Compose: texts that it refuses', async (t) => {
  if (compose === undefined) return t.skip(reason);
  for (const text of REFUSED) {
    const files = { 'a.yml': JSON.stringify({ services: { app: { image: 'x', user: text } } }) };
    const folder = project(files);
    assert.equal(await theirs(folder, ['a.yml']), undefined, `Docker Compose takes ${text}`);
    assert.throws(() => ours(folder, ['a.yml']), { code: 'DEVCONTAINER' }, text);
  }
});

test('as Docker Compose: any text with variables', async (t) => {
  if (compose === undefined) return t.skip(reason);
  // No brace alone: Docker Compose refuses some texts with one and takes others that differ only in what comes later.
  const name = fc.constantFrom('SET', 'EMPTY', 'UNSET', 'NUMBER');
  const operator = fc.constantFrom(':-', '-', ':+', '+');
  const { text } = fc.letrec<{ text: string; part: string }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('a', ' ', '$$', '$ ', '$-', ':', '-', '/', '.', '"', "'", '\\'),
      name.map((of) => `$${of} `),
      name.map((of) => `\${${of}}`),
      fc.tuple(name, operator, tie('text')).map(([of, op, word]) => `\${${of}${op}${word}}`),
    ),
    text: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  }));
  const texts = fc.sample(text, { numRuns: 300, seed: 7 });
  const environment = Object.fromEntries(texts.map((value, i) => [`V${i}`, `x${value}`]));
  const files = { 'a.yml': JSON.stringify({ services: { app: { image: 'x', environment } } }) };
  const folder = project(files);
  const expected = await theirs(folder, ['a.yml']);
  assert.ok(expected, 'Docker Compose refuses the file');
  const { environment: found } = ours(folder, ['a.yml']);
  for (const [key, value] of Object.entries(expected.environment as Record<string, string>)) {
    assert.equal(found[key], value, JSON.stringify(environment[key]));
  }
});
