import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { parseDocument } from './document.ts';
import { PROPERTIES } from './properties.ts';
import { warningsOf } from './testing.ts';
import { checkProperties } from './validate.ts';

const FILE = '/w/devcontainer.json';

function check(content: string | object) {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const events: Event[] = [];
  const config = checkProperties(parseDocument(text, FILE), (event) => events.push(event));
  return { config, warnings: warningsOf(events), events };
}

/** The message and place of the error, as `line:column message`. */
function mistake(content: string | object): string {
  try {
    check(content);
  } catch (error) {
    const { code, message, where } = error as AppError;
    assert.equal(code, 'DEVCONTAINER', String((error as Error).stack));
    const start = where?.range?.start;
    return `${start?.line}:${start?.column} ${message}`;
  }
  return assert.fail('it was accepted');
}

/** Values of every property: some that are right, and some that are wrong. */
const VALUES: Readonly<
  Record<string, { readonly right: readonly unknown[]; readonly wrong: readonly unknown[] }>
> = {
  image: { right: ['x'], wrong: [1, ['x']] },
  build: {
    right: [
      { dockerfile: 'D', context: '.', target: 't', args: { A: '1' }, cacheFrom: 'x', options: ['a'] },
      { cacheFrom: ['x'] },
    ],
    wrong: [
      'D',
      { dockerfile: 1 },
      { args: [] },
      { args: { A: {} } },
      { cacheFrom: 1 },
      { options: 'a' },
      { target: [] },
    ],
  },
  dockerFile: { right: ['D'], wrong: [{}] },
  context: { right: ['..'], wrong: [true] },
  dockerComposeFile: { right: ['a', ['a', 'b'], []], wrong: [1, [1]] },
  service: { right: ['app'], wrong: [['app']] },
  runServices: { right: [['a'], []], wrong: [1, [1]] },
  features: {
    right: [{ 'a/b:1': {}, c: '1', d: true, e: { o: 'x', p: false } }],
    wrong: [[], { a: 1 }, { a: { o: [] } }],
  },
  overrideFeatureInstallOrder: { right: [['a']], wrong: [1, [true]] },
  secrets: {
    right: [{ A: { description: 'd', documentationUrl: 'https://x' } }],
    wrong: [{ A: 'x' }, { '1A': {} }],
  },
  name: { right: ['x'], wrong: [1] },
  containerEnv: { right: [{ A: 'x' }], wrong: ['A=x', { A: [] }] },
  remoteEnv: { right: [{ A: 'x', B: null }], wrong: [['A=x'], { A: {} }] },
  containerUser: { right: ['u'], wrong: [true] },
  remoteUser: { right: ['u'], wrong: [true, ['u']] },
  updateRemoteUserUID: { right: [true, false], wrong: ['true'] },
  userEnvProbe: {
    right: ['none', 'loginShell', 'loginInteractiveShell', 'interactiveShell'],
    wrong: ['login', true],
  },
  overrideCommand: { right: [true], wrong: [1] },
  workspaceFolder: { right: ['/w'], wrong: [1] },
  workspaceMount: { right: ['type=bind,source=/a,target=/b', ''], wrong: [{}] },
  mounts: {
    right: [
      [
        'source=a,target=/a,type=volume',
        { type: 'bind', source: '/a', target: '/b' },
        { type: 'volume', target: '/c' },
      ],
    ],
    wrong: [1, [1], [{ source: 'a' }], [{ type: 'nfs', target: '/x' }]],
  },
  init: { right: [true], wrong: ['yes'] },
  privileged: { right: [false], wrong: [0] },
  capAdd: { right: [['SYS_PTRACE']], wrong: [true, [1]] },
  securityOpt: { right: [['seccomp=unconfined']], wrong: [{}] },
  runArgs: { right: [['--init']], wrong: ['--init', [1]] },
  appPort: { right: [80, '80:80', [80, '81:81']], wrong: [{}, [{}], 1.5] },
  hostRequirements: {
    right: [
      { cpus: 1, memory: '4gb', storage: '32', gpu: 'optional' },
      { gpu: { cores: 1, memory: '1tb' } },
      { gpu: false },
      { cpus: 0, gpu: { cores: 0 } },
    ],
    wrong: [4, { cpus: -1 }, { memory: '4 GB' }, { gpu: 'maybe' }],
  },
  customizations: { right: [{ vscode: { extensions: [] }, other: 1 }], wrong: [[], 'x'] },
  forwardPorts: { right: [[80, 'db:5432']], wrong: [80, [65536], ['80'], [1.5]] },
  portsAttributes: {
    right: [
      {
        '80': {
          label: 'x',
          onAutoForward: 'openBrowserOnce',
          elevateIfNeeded: true,
          requireLocalPort: false,
          protocol: 'https',
        },
      },
    ],
    wrong: [[], { '80': 'x' }, { '80': { onAutoForward: 'no' } }, { '80': { protocol: 'ftp' } }],
  },
  otherPortsAttributes: { right: [{ onAutoForward: 'ignore' }], wrong: ['ignore', { label: 1 }] },
  shutdownAction: { right: ['none', 'stopContainer', 'stopCompose'], wrong: ['stop'] },
  waitFor: {
    right: [
      'initializeCommand',
      'onCreateCommand',
      'updateContentCommand',
      'postCreateCommand',
      'postStartCommand',
    ],
    wrong: ['postAttachCommand', true],
  },
  ...Object.fromEntries(
    [
      'initializeCommand',
      'onCreateCommand',
      'updateContentCommand',
      'postCreateCommand',
      'postStartCommand',
      'postAttachCommand',
    ].map((name) => [
      name,
      {
        right: ['x', '', ['a', 'b'], { a: 'x', b: ['y', 'z'] }, {}],
        wrong: [1, [1], { a: 1 }, { a: { b: 'c' } }],
      },
    ]),
  ),
};

test('every property has values here', () => {
  assert.deepEqual(Object.keys(VALUES).sort(), PROPERTIES.map(({ name }) => name).sort());
});

for (const { name, expects, support, lenience = [] } of PROPERTIES) {
  test(`${name}: right values are kept as they are, wrong ones are named with their place`, () => {
    const { right, wrong } = VALUES[name]!;
    for (const value of right) {
      const { config, warnings } = check({ [name]: value });
      assert.deepEqual(config, { [name]: value });
      assert.deepEqual(warnings, []);
    }
    for (const value of wrong) {
      const content = { before: { [name]: 1 }, [name]: value };
      const text = `{\n  "$schema": "x",\n  ${JSON.stringify(name)}: ${JSON.stringify(value)}\n}`;
      const pattern = new RegExp(`^${name}\\S* must be .+, and not `);
      if (lenience.includes('omit')) {
        const { config, warnings } = check(text);
        assert.match(warnings[0]!, pattern);
        assert.equal(Object.hasOwn(config, name), false, 'what nobody can read is left out');
      } else if (support === 'no effect') {
        const { config, warnings } = check(text);
        assert.match(warnings[0]!, pattern);
        assert.deepEqual((config as Record<string, unknown>)[name], value);
      } else {
        const message = mistake(text);
        assert.match(message.replace(/^3:\d+ /, ''), pattern, JSON.stringify(content));
        if (typeof value !== 'object')
          assert.ok(message.includes(` must be ${expects}, and not the `), message);
      }
    }
  });
}

test('errors point at the value that is wrong, however deep it stands', () => {
  assert.equal(
    mistake('{\n  "build": {\n    "args": { "A": [1] }\n  }\n}'),
    '3:20 build.args.A must be a string, a number or true or false, and not a list',
  );
  assert.equal(mistake('{ "runArgs": ["a",\n 5] }'), '2:2 runArgs[1] must be a string, and not the number 5');
  assert.equal(
    mistake('{ "postCreateCommand": { "a b": 5 } }'),
    '1:33 postCreateCommand."a b" must be a string or a list, and not the number 5',
  );
});

test('text of variables may be written as a number or a boolean', () => {
  const { config } = check({
    containerEnv: { A: 1, B: true },
    remoteEnv: { A: 1.5, B: null },
    build: { args: { A: false } },
  });
  assert.deepEqual(config, {
    containerEnv: { A: '1', B: 'true' },
    remoteEnv: { A: '1.5', B: null },
    build: { args: { A: 'false' } },
  });
});

/** What is of a wrong type and can be read: the value that is taken, and the warning. */
const READABLE: readonly (readonly [config: object, taken: object, warning: string])[] = [
  ...['mounts', 'capAdd', 'securityOpt', 'runServices', 'overrideFeatureInstallOrder'].map(
    (name) =>
      [
        { [name]: 'type=tmpfs,target=/x' },
        { [name]: ['type=tmpfs,target=/x'] },
        `${name} is a string, which is taken as a list of one`,
      ] as const,
  ),
  ...['containerUser', 'remoteUser'].map(
    (name) => [{ [name]: 1000 }, { [name]: '1000' }, `${name} is a number, which is taken as an id`] as const,
  ),
  ...(
    [
      ['build', { dockerfile: 'D', target: null }, { dockerfile: 'D' }, 'target'],
      ['build', { dockerfile: 'D', args: { A: null } }, { dockerfile: 'D', args: {} }, 'args.A'],
      ['containerEnv', { A: null, B: 'x' }, { B: 'x' }, 'A'],
      ['features', { './f': { version: null } }, { './f': {} }, '"./f".version'],
      ['hostRequirements', { cpus: 2, memory: null }, { cpus: 2 }, 'memory'],
      ['postCreateCommand', { a: 'x', b: null }, { a: 'x' }, 'b'],
      [
        'mounts',
        [{ type: 'tmpfs', source: null, target: '/x' }],
        [{ type: 'tmpfs', target: '/x' }],
        '[0].source',
      ],
      ['secrets', { A: { description: null } }, { A: {} }, 'A.description'],
    ] as const
  ).map(
    ([name, value, taken, path]) =>
      [
        { [name]: value },
        { [name]: taken },
        `${name}${path.startsWith('[') ? '' : '.'}${path} is null, which is as if it were left out`,
      ] as const,
  ),
];

for (const [content, taken, warning] of READABLE)
  test(`of a wrong type, and read: ${JSON.stringify(content)}`, () => {
    const { config, warnings, events } = check(content);
    assert.deepEqual(config, taken);
    assert.deepEqual(warnings, [warning]);
    assert.ok(events.every((event) => event.type === 'warning' && event.range !== undefined));
  });

test('unknown properties are kept and named, with the nearest one that is known', () => {
  const { config, events, warnings } = check(
    '{\n  "postCreatecomand": "x",\n  "build": { "dockerFile": "D" },\n  "mine": 1\n}',
  );
  assert.deepEqual(warnings, [
    'postCreatecomand is not a property of devcontainer.json (did you mean postCreateCommand?)',
    'build.dockerFile is not a property of devcontainer.json (did you mean dockerfile?)',
    'mine is not a property of devcontainer.json',
  ]);
  assert.deepEqual(
    events.map((event) => event.type === 'warning' && event.range?.start),
    [
      { line: 2, column: 3 },
      { line: 3, column: 14 },
      { line: 4, column: 3 },
    ],
  );
  assert.deepEqual(config, { postCreatecomand: 'x', build: { dockerFile: 'D' }, mine: 1 });
  assert.deepEqual(check({ $schema: 'x', extensions: [], settings: {}, devPort: 1 }).warnings, []);
});

test('null is as if a property were left out', () => {
  const { config, warnings } = check({ postCreateCommand: null, image: 'x' });
  assert.deepEqual(config, { image: 'x' });
  assert.deepEqual(warnings, ['postCreateCommand is null, which is as if it were left out']);
});

test('mistakes in the JSON itself are named with their place', () => {
  const mistakes: Readonly<Record<string, string>> = {
    '{\n  "image": "x"\n  "name": "y"\n}': '3:3 a comma is expected here',
    '{ "image" "x" }': '1:11 a colon is expected here',
    '{ image: "x" }': '1:3 this word is neither a string in double quotes nor true, false or null',
    '{ "image": "x" ': '1:16 a closing } is missing',
    '{ "image": "x\n" }': '1:12 this string has no closing quote',
    '{ "image": "\\q" }': '1:12 JSON has no such escape',
    '{ /* "image": "x" }': '1:3 this comment has no end',
    '{ "image": }': '1:12 a value is expected here',
    '{} x': '1:4 this word is neither a string in double quotes nor true, false or null',
    '[]': `1:1 ${FILE} must hold a JSON object`,
    '': `1:1 ${FILE} must hold a JSON object`,
    '"x"': `1:1 ${FILE} must hold a JSON object`,
  };
  for (const [text, expected] of Object.entries(mistakes)) assert.equal(mistake(text), expected, text);
});

test('comments, trailing commas and a byte order mark are allowed', () => {
  const { config } = check('\uFEFF// x\n{ /* y */ "image": "http://x", // z\n "capAdd": ["a",], }');
  assert.deepEqual(config, { image: 'http://x', capAdd: ['a'] });
});
