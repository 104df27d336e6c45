import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import { legacyFlag } from './old-names.ts';
import { parseOptions } from './parse.ts';
import { OPTIONS, type Options, optionsOf } from './table.ts';
import type { CommandName } from './types.ts';

interface Case {
  readonly name: string;
  readonly command?: CommandName;
  readonly args?: readonly string[];
  readonly env?: Environment;
  readonly options?: { readonly [Name in keyof Options]?: unknown };
  readonly operands?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'defaults',
    options: {
      'cache-ttl-days': 7,
      compression: 'zstd',
      progress: 'auto',
      'push-image': false,
      tag: [],
      target: undefined,
    },
    operands: [],
  },
  {
    name: 'short and long flags, values behind "=" or a space, and the context between them',
    args: ['-f', 'a/Dockerfile', '--target=web', 'ctx', '-t', 'x:1', '--tag', 'y:2,z:3', '-ofs'],
    options: { 'dockerfile-path': 'a/Dockerfile', target: 'web', tag: ['x:1', 'y:2', 'z:3'], output: ['fs'] },
    operands: ['ctx'],
  },
  {
    name: 'short flags with "=", as pflag reads them',
    args: ['-f=a/Dockerfile', '-t=x:1', '-o=type=oci,dest=d', '-t==y', '-t=', '-f', '=z'],
    options: { 'dockerfile-path': '=z', tag: ['x:1', '=y'], output: ['type=oci,dest=d'] },
    operands: [],
  },
  {
    name: 'several short flags in one word, the last with a value',
    command: 'warm',
    args: ['-fc=/d', '-fidebian'],
    options: { force: true, 'cache-dir': '/d', image: ['debian'] },
    operands: [],
  },
  { name: 'a short boolean with a value', command: 'warm', args: ['-f=F'], options: { force: false } },
  {
    name: 'values that look like short flags',
    args: ['--target', '-f=x', '-f', '-t=y', '--', '-t=z'],
    options: { target: '-f=x', 'dockerfile-path': '-t=y', tag: [] },
    operands: ['-t=z'],
  },
  {
    name: 'other names of a flag',
    args: ['--file', 'D', '--push'],
    options: { 'dockerfile-path': 'D', 'push-image': true },
  },
  {
    name: 'a boolean flag does not take the next word',
    args: ['--push', '.'],
    options: { 'push-image': true },
    operands: ['.'],
  },
  {
    name: 'booleans with a value',
    args: ['--push=false', '--verbose=1'],
    options: { 'push-image': false, verbose: true },
  },
  {
    name: 'the last of two booleans wins',
    args: ['--push', '--push-image=0'],
    options: { 'push-image': false },
  },
  { name: 'a flag whose name starts with no-', args: ['--no-cache'], options: { 'no-cache': true } },
  {
    name: 'a value that looks like a boolean flag with a value',
    args: ['--target', '--push=false'],
    options: { target: '--push=false', 'push-image': false },
  },
  {
    name: 'everything after -- is an argument',
    args: ['--', '--push=1'],
    options: { 'push-image': false },
    operands: ['--push=1'],
  },
  {
    name: 'build arguments keep commas and further equals signs; later ones win',
    args: ['--build-arg', 'A=1,2', '--build-arg', 'B=x=y', '--build-arg', 'A=3'],
    options: {
      'build-arg': new Map([
        ['A', '3'],
        ['B', 'x=y'],
      ]),
    },
  },
  {
    name: 'a build argument without a value comes from the environment, and is absent when it is not set there',
    args: ['--build-arg', 'HERE', '--build-arg', 'NOT_HERE'],
    env: { HERE: 'yes' },
    options: { 'build-arg': new Map([['HERE', 'yes']]) },
  },
  {
    name: 'variables',
    env: {
      ENVBUILDER_CACHE_REPO: 'r.example/c',
      ENVBUILDER_CACHE_TTL_DAYS: '30',
      ENVBUILDER_INSECURE: 'TRUE',
      ENVBUILDER_VERBOSE: '0',
      ENVBUILDER_BUILD_SECRETS: 'A=1,"B=x,y",C=a=b',
      KANIKO_REGISTRY_MIRROR: 'm1.example;m2.example/p',
    },
    options: {
      'cache-repo': 'r.example/c',
      'cache-ttl-days': 30,
      insecure: true,
      verbose: false,
      'build-secrets': new Map([
        ['A', '1'],
        ['B', 'x,y'],
        ['C', 'a=b'],
      ]),
      'registry-mirror': ['m1.example', 'm2.example/p'],
    },
  },
  {
    name: 'flags win over variables, lists are not merged',
    args: ['--cache-ttl-days', '1', '--verbose=false', '--tag', 'mine'],
    env: { ENVBUILDER_CACHE_TTL_DAYS: '9', ENVBUILDER_VERBOSE: 'true', ENVBUILDER_TAG: 'theirs' },
    options: { 'cache-ttl-days': 1, verbose: false, tag: ['mine'] },
  },
  {
    name: 'an empty variable is unset',
    env: { ENVBUILDER_CACHE_TTL_DAYS: '' },
    options: { 'cache-ttl-days': 7 },
  },
  {
    name: 'a start takes the variables of the workspace',
    command: 'start',
    env: {
      ENVBUILDER_GET_CACHED_IMAGE: '1',
      ENVBUILDER_WORKSPACE_FOLDER: '/w',
      ENVBUILDER_GIT_URL: 'https://h/r.git',
    },
    options: { 'get-cached-image': true, 'workspace-folder': '/w', 'git-url': 'https://h/r.git' },
  },
];

describe('parseOptions', () => {
  for (const { name, command = 'build', args = [], env = {}, options = {}, operands } of CASES) {
    it(name, () => {
      const parsed = parseOptions(command, args, env);
      for (const [option, value] of Object.entries(options)) {
        assert.deepEqual(parsed.options[option as keyof Options], value, option);
      }
      if (operands) assert.deepEqual(parsed.operands, operands);
    });
  }

  it('says how an option was given', () => {
    const { given } = parseOptions('build', ['-f', 'D'], { ENVBUILDER_CACHE_REPO: 'r' });
    assert.deepEqual(
      [...given],
      [
        ['dockerfile-path', 'flag'],
        ['cache-repo', 'variable'],
      ],
    );
  });
});

const ERRORS: readonly (Case & { readonly message: RegExp; readonly hint?: RegExp })[] = [
  { name: 'unknown flag', args: ['--taget', 'x'], message: /unknown flag --taget/, hint: /--target/ },
  { name: 'unknown flag with a value', args: ['--pus=1'], message: /unknown flag --pus$/, hint: /--push/ },
  { name: 'unknown short flag behind others', command: 'warm', args: ['-fz=1'], message: /unknown flag -z/ },
  {
    name: 'a flag of docker build',
    args: ['--load'],
    message: /no flag --load$/,
    hint: /--output type=docker/,
  },
  { name: 'its short form', args: ['-q', '.'], message: /no flag -q$/, hint: /standard output/ },
  { name: 'a flag of kaniko', args: ['--destination=x'], message: /no flag --destination$/, hint: /--tag/ },
  { name: 'unknown short flag', args: ['-z'], message: /unknown flag -z/, hint: /build --help/ },
  {
    name: 'flag of another command',
    command: 'probe',
    args: ['--compression', 'gzip'],
    message: /does not apply to envbuilder probe/,
    hint: /envbuilder build/,
  },
  { name: 'missing value', args: ['--target'], message: /--target/ },
  { name: 'no boolean', args: ['--push=yes'], message: /--push-image is "yes"/, hint: /true, 1, false or 0/ },
  { name: 'no boolean variable', env: { ENVBUILDER_INSECURE: 'on' }, message: /ENVBUILDER_INSECURE is "on"/ },
  { name: 'no number', args: ['--cache-ttl-days', '1.5'], message: /--cache-ttl-days is "1.5"/ },
  { name: 'negative number', env: { ENVBUILDER_CACHE_TTL_DAYS: '-1' }, message: /ENVBUILDER_CACHE_TTL_DAYS/ },
  {
    name: 'no choice',
    args: ['--progress', 'fancy'],
    message: /--progress is "fancy"/,
    hint: /auto, plain, json/,
  },
  { name: 'open quote', args: ['-t', 'a,"b'], message: /not closed/ },
  {
    name: 'secret without a value',
    env: { ENVBUILDER_BUILD_SECRETS: 'hunter2' },
    message: /ENVBUILDER_BUILD_SECRETS has an item/,
  },
];

describe('parseOptions refuses', () => {
  for (const { name, command = 'build', args = [], env = {}, message, hint } of ERRORS) {
    it(name, () => {
      assert.throws(
        () => parseOptions(command, args, env),
        (error: unknown) => {
          assert(error instanceof AppError);
          assert.equal(error.code, 'USAGE');
          assert.match(error.message, message);
          if (hint) assert.match(error.hint ?? '', hint);
          assert.doesNotMatch(`${error.message} ${error.hint}`, /hunter2/);
          return true;
        },
      );
    });
  }
});

describe('warnings', () => {
  const texts = (command: CommandName, env: Environment): readonly string[] =>
    parseOptions(command, [], env).warnings.map(({ text, hint }) => `${text} ${hint ?? ''}`.trim());

  it('find misspelt variables', () => {
    assert.match(
      texts('build', { ENVBUILDER_CACHE_REOP: 'x' })[0] ?? '',
      /did you mean ENVBUILDER_CACHE_REPO\?/,
    );
    assert.deepEqual(texts('build', { ENVBUILDER_SOMETHING_ELSE: 'x', ENVBUILDER_NODE: 'x' }), []);
  });
});

describe('booleans', () => {
  // https://pkg.go.dev/strconv#ParseBool: "It accepts 1, t, T, TRUE, true, True, 0, f, F, FALSE, false, False."
  const expected = {
    true: ['1', 't', 'T', 'TRUE', 'true', 'True'],
    false: ['0', 'f', 'F', 'FALSE', 'false', 'False'],
  };
  for (const [value, texts] of Object.entries(expected)) {
    for (const text of texts) {
      it(`${text} is ${value}, of every option, as flag and as variable`, () => {
        for (const { name, variable, type } of optionsOf('start')) {
          if (type !== 'boolean') continue;
          const get = (args: readonly string[], env: Environment) =>
            String(parseOptions('start', args, env).options[name as keyof Options]);
          assert.equal(get([`--${name}=${text}`], {}), value, name);
          if (variable) assert.equal(get([], { [variable]: text }), value, variable);
        }
      });
    }
  }
});

describe('flags of envbuilder (Go) with its old names', () => {
  // Observed in options.go of envbuilder 1.x: every option with a prefixed variable has a hidden flag `legacy-NAME`.
  const legacy = optionsOf('start').filter((row) => legacyFlag(row) !== undefined);

  it('are those of all its variables with a prefix', () => assert.equal(legacy.length, 40));

  for (const row of legacy) {
    it(`--legacy-${row.name}`, () => {
      const text =
        row.type === 'integer' ? '3' : row.type === 'map' ? 'A=b' : row.type === 'boolean' ? 't' : 'x';
      const old = parseOptions('start', [`--legacy-${row.name}=${text}`], {});
      const today = parseOptions('start', [`--${row.name}=${text}`], {});
      assert.deepEqual(old.options, today.options);
      assert.match(old.warnings[0]?.text ?? '', new RegExp(`--legacy-${row.name} is an old name`));
      assert.deepEqual(today.warnings, []);
    });
  }

  it('are of a start alone', () =>
    assert.throws(() => parseOptions('build', ['--legacy-cache-repo=x'], {}), /unknown flag/));
});

describe('the options table', () => {
  it('names every flag, short flag and variable once', () => {
    for (const command of new Set(OPTIONS.flatMap(({ commands }) => commands))) {
      const flags = optionsOf(command).flatMap(({ name, short, aliases = [] }) => [
        name,
        ...aliases,
        ...(short ? [short] : []),
      ]);
      assert.deepEqual(
        flags.filter((flag, i) => flags.indexOf(flag) !== i),
        [],
        command,
      );
    }
    const variables = OPTIONS.flatMap(({ variable }) => (variable ? [variable] : []));
    assert.deepEqual(
      variables.filter((name, i) => variables.indexOf(name) !== i),
      [],
    );
  });

  it('derives our variables from the flags', () => {
    for (const { name, variable, commands } of OPTIONS) {
      // Flags of the registry are short, and its variables say whose they are.
      const whose = commands.every((command) => command.startsWith('registry')) ? '(REGISTRY_)?' : '';
      if (variable?.startsWith('ENVBUILDER_'))
        assert.match(variable, new RegExp(`^ENVBUILDER_${whose}${name.toUpperCase().replaceAll('-', '_')}$`));
    }
  });
});
