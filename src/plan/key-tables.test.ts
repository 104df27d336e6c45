import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { SourceTree } from '../context/types.ts';
import { canonicalDigest } from '../core/canonical.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import type { SourceRange } from '../core/error.ts';
import {
  both,
  counts,
  fieldsOfTables,
  fixed,
  ignored,
  type KeyPair,
  type KeySamples,
  listOf,
  object,
  optional,
  type Sampled,
  union,
  wrongPairs,
} from '../core/key-samples.ts';
import type { KeyFields } from '../core/key-table.ts';
import type { MountSpec } from '../dockerfile/types.ts';
import type { ContainerConfig, Image, ImageConfig, Platform, Store } from '../oci/types.ts';
import type { StepTitle } from './inputs.ts';
import { KEY_TABLES } from './key-tables.ts';
import { baseKey, contentScope, operationFields } from './keys.ts';
import type {
  BaseKeyInput,
  CopyInput,
  CopyOperation,
  Operation,
  PlannedMount,
  RunOperation,
  TreeSource,
  WorkdirOperation,
} from './types.ts';

const [ONE, TWO] = [digestOf('1'), digestOf('2')];
const layers = counts<readonly Digest[]>([ONE], [], [TWO], [ONE, TWO], [TWO, ONE]);
const text = counts('a', 'b', '');
const maybe = counts<string | undefined>('a', 'b', undefined);
const number = counts<number | undefined>(1, 2, 0, undefined);
const flag = counts(false, true);
const noText = ignored<string | undefined>('a', 'b', undefined);
const noNumber = ignored<number | undefined>(1, 2, undefined);
const noFlag = ignored(false, true);

const PLATFORM = object<Platform>({
  os: counts('linux', 'windows'),
  architecture: counts('amd64', 'arm64'),
  variant: counts<string | undefined>(undefined, 'v7', 'v8'),
});

const CONFIG: KeySamples<ContainerConfig> = {
  Env: counts<readonly string[] | undefined>(['A=1'], ['A=2'], ['A=1', 'B=1'], ['B=1', 'A=1'], undefined),
  User: maybe,
  WorkingDir: counts<string | undefined>('/a', '/b', undefined),
  Shell: counts<readonly string[] | undefined>(['sh', '-c'], ['sh'], undefined),
  OnBuild: counts<readonly string[] | undefined>(['RUN a'], ['RUN b'], undefined),
  ExposedPorts: ignored<ContainerConfig['ExposedPorts']>({ '80/tcp': {} }, undefined),
  Entrypoint: ignored<readonly string[] | undefined>(['a'], undefined),
  Cmd: ignored<readonly string[] | undefined>(['a'], undefined),
  Volumes: ignored<ContainerConfig['Volumes']>({ '/v': {} }, undefined),
  Labels: ignored<ContainerConfig['Labels']>({ a: 'b' }, undefined),
  StopSignal: noText,
  ArgsEscaped: ignored<boolean | undefined>(true, false, undefined),
  Healthcheck: ignored<ContainerConfig['Healthcheck']>({ Retries: 1 }, undefined),
};

const SCOPE: KeySamples<Omit<BaseKeyInput, 'diffIds' | 'config'>> = {
  salt: counts<string | undefined>(undefined, 'a', 'b', ''),
  platform: PLATFORM,
  mtime: counts<number | 'keep'>('keep', 0, 1),
};

const BASE = object<BaseKeyInput>({ ...SCOPE, diffIds: layers, config: object(CONFIG) });

const IMAGE_CONFIG: KeySamples<ImageConfig> = {
  rootfs: object<ImageConfig['rootfs']>({ type: fixed('layers'), diff_ids: layers }),
  config: ignored<ContainerConfig | undefined>({ User: 'a' }, { Env: ['A=1'] }, undefined),
  created: noText,
  author: noText,
  architecture: ignored('amd64', 'arm64'),
  os: ignored('linux', 'windows'),
  variant: noText,
  'os.version': noText,
  'os.features': ignored<readonly string[] | undefined>(['a'], undefined),
  history: ignored<ImageConfig['history']>([{ created_by: 'a' }], undefined),
};

/** Things of which a key holds nothing; what they are does not matter. */
const thing = <T>(...values: readonly [unknown, unknown]): Sampled<T> =>
  ignored<T>(values[0] as T, values[1] as T);

const IMAGE = object<Image>({
  reference: ignored('a', 'b'),
  manifest: thing({ bytes: 'a' }, { bytes: 'b' }),
  parsed: thing({ layers: [] }, { layers: [1] }),
  config: object(IMAGE_CONFIG),
  configBytes: ignored(Buffer.from('a'), Buffer.from('b')),
  store: thing<Store>({ name: 'a' }, { name: 'b' }),
});

const TREE: SourceTree = {
  name: 'a tree',
  list: async () => [],
  stat: async () => undefined,
  open: () => Readable.from([]),
  contentDigest: async () => ONE,
};
const trees = ignored<SourceTree>(TREE, { ...TREE, name: 'another tree' });
const items = ignored(
  async () => [],
  async () => [],
);

const STAGE = object<Extract<TreeSource, { type: 'stage' }>>({ type: fixed('stage'), stage: counts(1, 2) });
const ROOTS: Sampled<TreeSource> = union<TreeSource>({
  stage: STAGE as Sampled<TreeSource>,
  image: object<Extract<TreeSource, { type: 'image' }>>({
    type: fixed('image'),
    image: IMAGE,
  }) as Sampled<TreeSource>,
  scratch: object<Extract<TreeSource, { type: 'scratch' }>>({
    type: fixed('scratch'),
  }) as Sampled<TreeSource>,
});

type MountSource = NonNullable<PlannedMount['source']>;
const CONTEXT = object<Extract<MountSource, { type: 'context' }>>({
  type: fixed('context'),
  tree: trees,
  items,
});
const RANGE: SourceRange = { file: 'a', start: { line: 1, column: 1 }, end: { line: 1, column: 2 } };
const DEFERRED = object<Extract<MountSource, { type: 'deferred' }>>({
  type: fixed('deferred'),
  digest: ignored(ONE, TWO),
  about: ignored<StepTitle | undefined>(undefined, { title: 'a', range: RANGE }),
  write: ignored(
    async () => {},
    async () => {},
  ),
});

/** A mount's options, where its type takes none; the object says which it takes. */
function spec<T extends MountSpec['type']>(type: T, taken: Partial<KeySamples<MountSpec>>) {
  return object<MountSpec>({
    type: fixed<MountSpec['type']>(type),
    source: noText,
    target: noText,
    from: noText,
    id: noText,
    readonly: noFlag,
    sharing: ignored<MountSpec['sharing']>('locked', 'private', undefined),
    required: noFlag,
    mode: noNumber,
    uid: noNumber,
    gid: noNumber,
    size: noNumber,
    env: noText,
    text: ignored('a', 'b'),
    range: ignored(RANGE, { ...RANGE, file: 'b' }),
    ...taken,
  });
}

const owned = { mode: number, uid: number, gid: number };
const SPECS = {
  bind: spec('bind', { readonly: flag }),
  cache: spec('cache', { readonly: flag, id: maybe, ...owned }),
  tmpfs: spec('tmpfs', { size: number }),
  secret: spec('secret', { id: maybe, env: maybe, required: flag, ...owned }),
  ssh: spec('ssh', { id: maybe, required: flag, ...owned }),
};

const mount = (
  of: Sampled<MountSpec>,
  source: Sampled<PlannedMount['source']>,
  sourcePath: Sampled<string>,
  treeHash: Sampled<Digest | undefined> = counts<Digest | undefined>(ONE, TWO, undefined),
): Sampled<PlannedMount> =>
  object<PlannedMount>({
    spec: of,
    source,
    sourcePath,
    target: text,
    treeHash,
    seed: ignored<Digest | undefined>(ONE, TWO, undefined),
  });
const context: MountSource = { type: 'context', tree: TREE, items: async () => [] };
const deferred: MountSource = { type: 'deferred', digest: ONE, write: async () => {} };
const noPath = ignored('a', 'b');
const noSource = fixed<PlannedMount['source']>(undefined);
const other = (of: Sampled<MountSpec>): Sampled<PlannedMount> =>
  mount(
    of,
    ignored<PlannedMount['source']>(undefined, context),
    noPath,
    ignored<Digest | undefined>(ONE, undefined),
  );

const PLAIN: Omit<PlannedMount, 'spec'> = { sourcePath: '', target: '/t', treeHash: ONE };
const ofType = (type: MountSpec['type'], given: Partial<PlannedMount> = {}): PlannedMount => ({
  spec: { type, readonly: true, required: false, text: '', range: RANGE },
  ...PLAIN,
  ...given,
});
/** Mounts that only the name of a type or of a source tells apart. */
const ALIKE: readonly KeyPair<PlannedMount>[] = [
  ['bind', ofType('bind'), ofType('cache')],
  ['secret', ofType('secret'), ofType('ssh')],
  ['context', ofType('bind', { source: context }), ofType('bind', { source: deferred })],
  ['scratch', ofType('bind', { source: { type: 'scratch' } }), ofType('bind', { source: context })],
].map(([what, before, after]) => ({ what, before, after, counts: true }) as KeyPair<PlannedMount>);

const MOUNTS = union<PlannedMount>(
  {
    'bind of a root': mount(SPECS.bind, optional<MountSource>(ROOTS), text),
    'bind of a context': mount(SPECS.bind, CONTEXT, noPath),
    'bind of deferred files': mount(SPECS.bind, DEFERRED, noPath),
    'cache of a root': mount(SPECS.cache, optional<MountSource>(ROOTS), text),
    'cache of a context': mount(SPECS.cache, CONTEXT, noPath),
    'cache of nothing': mount(SPECS.cache, noSource, noPath),
    tmpfs: other(SPECS.tmpfs),
    secret: other(SPECS.secret),
    ssh: other(SPECS.ssh),
  },
  ALIKE,
);

const RUN = object<RunOperation>({
  kind: fixed('run'),
  argv: counts<readonly string[]>(['a'], ['a', 'b'], ['a b'], ['b', 'a']),
  env: counts<ReadonlyMap<string, string>>(
    new Map([['A', '1']]),
    new Map([['A', '2']]),
    new Map([['B', '1']]),
    new Map(),
    new Map([
      ['A', '1'],
      ['B', '1'],
    ]),
    new Map([
      ['B', '1'],
      ['A', '1'],
    ]),
  ),
  args: ignored<ReadonlyMap<string, string>>(new Map([['A', '1']]), new Map()),
  user: text,
  cwd: text,
  network: counts<RunOperation['network']>('default', 'none', 'host'),
  security: counts<RunOperation['security']>('sandbox', 'insecure'),
  mounts: listOf(MOUNTS),
  devices: both(
    counts<RunOperation['devices']>(
      undefined,
      [{ name: 'a.b/c', required: false, range: RANGE }],
      [{ name: 'a.b/d', required: false, range: RANGE }],
      [{ name: 'a.b/c', required: true, range: RANGE }],
    ),
    ignored<RunOperation['devices']>(
      [{ name: 'a.b/c', required: false, range: RANGE }],
      [{ name: 'a.b/c', required: false, range: { ...RANGE, file: 'b' } }],
    ),
  ),
  hostname: counts<string | undefined>(undefined, 'one', 'two'),
  script: optional<NonNullable<RunOperation['script']>>(
    object<NonNullable<RunOperation['script']>>({ path: noPath, content: text }),
  ),
});

type Input<K extends CopyInput['kind']> = Extract<CopyInput, { kind: K }>;
const hashes = counts(ONE, TWO);
const FROM = object<Input<'from'>>({
  kind: fixed('from'),
  source: ROOTS,
  paths: counts<readonly string[]>(['/a'], ['/b'], ['/a', '/b'], ['/b', '/a']),
});
const GIT = object<Input<'git'>>({
  kind: fixed('git'),
  url: both(
    counts(
      'https://h/r.git#main:lib',
      'https://h/r.git#main:docs',
      'https://h/r.git#main',
      'https://h/r.git?submodules=0#main:lib',
      'https://h/r.git?mtime=commit#main:lib',
    ),
    ignored(
      'https://h/r.git#main:lib',
      'https://mirror/r.git#main:lib',
      'https://h/r.git#v1:lib',
      'https://h/r.git?ref=v1&subdir=lib',
      'https://h/r.git?submodules=1&mtime=checkout&commit=00&keep-git-dir=0&fetch-by-commit#v1:lib',
    ),
  ),
  commit: counts('a'.repeat(40), 'b'.repeat(40)),
  keepGitDir: flag,
});
const GIT_KEPT = object<Input<'git'>>({
  kind: fixed('git'),
  url: both(
    counts(
      'https://h/r.git#main:lib',
      'https://h/r.git#main:docs',
      'https://mirror/r.git#main:lib',
      'https://h/r.git#v1:lib',
      'https://h/r.git?submodules=0#main:lib',
      'https://h/r.git?mtime=commit#main:lib',
    ),
    ignored('https://h/r.git#main:lib', 'https://user:token@h/r.git#main:lib'),
  ),
  commit: counts('a'.repeat(40), 'b'.repeat(40)),
  keepGitDir: fixed(true),
});
const FILES = object<Input<'context'>>({
  kind: fixed('context'),
  items,
  itemCount: ignored<(() => number) | undefined>(undefined, () => 1),
  tree: trees,
  treeHash: hashes,
});
const ARCHIVE = object<Input<'archive'>>({
  kind: fixed('archive'),
  path: noPath,
  tree: trees,
  treeHash: hashes,
});

const INPUTS = union<CopyInput>({
  context: FILES as Sampled<CopyInput>,
  archive: ARCHIVE as Sampled<CopyInput>,
  inline: object<Input<'inline'>>({
    kind: fixed('inline'),
    name: text,
    content: counts<Buffer>(Buffer.from('a'), Buffer.from('b'), Buffer.from('')),
  }) as Sampled<CopyInput>,
  url: object<Input<'url'>>({
    kind: fixed('url'),
    url: noPath,
    name: text,
    digest: hashes,
    lastModified: number,
    checksum: noText,
    unpack: flag,
  }) as Sampled<CopyInput>,
  git: GIT as Sampled<CopyInput>,
  'git with .git': GIT_KEPT as Sampled<CopyInput>,
  from: FROM as Sampled<CopyInput>,
});

const patterns = [['a'], ['b'], ['a', 'b'], ['b', 'a'], []] as const;
const copy = (
  inputs: Sampled<readonly CopyInput[]>,
  excludes: Sampled<readonly string[]>,
): Sampled<CopyOperation> =>
  object<CopyOperation>({
    kind: fixed('copy'),
    inputs,
    destination: text,
    chown: maybe,
    chmod: maybe,
    link: flag,
    parents: flag,
    excludes,
  });

const COPIES: Readonly<Record<string, Sampled<CopyOperation>>> = {
  'COPY or ADD of anything': copy(listOf(INPUTS), ignored<readonly string[]>(...patterns)),
  'COPY --from': copy(listOf(FROM as Sampled<CopyInput>), counts<readonly string[]>(...patterns)),
  'ADD of a repository': copy(listOf(GIT as Sampled<CopyInput>), counts<readonly string[]>(...patterns)),
};

const WORKDIR = object<WorkdirOperation>({ kind: fixed('workdir'), path: text, user: text });

const fieldsOf = (operation: Operation): KeyFields =>
  operationFields(operation, (stage) => `the key of stage ${stage}`);
const digestOfOperation = (operation: Operation): string => canonicalDigest(fieldsOf(operation));

/** Kinds whose keys do not hold their own name. */
async function wrongNames(): Promise<string[]> {
  type Named = { readonly kind?: string; readonly type?: string; readonly source?: Named };
  const parts = (operation: Operation, name: string) => (fieldsOf(operation)[name] ?? []) as readonly Named[];
  const wrong = (name: string | undefined, fields: Named | undefined): string[] =>
    name === (fields?.kind ?? fields?.type) ? [] : [`${name} is not in the key`];
  const operations = [RUN.first, WORKDIR.first, ...Object.values(COPIES).map(({ first }) => first)];
  const mounts = MOUNTS.pairs.map(({ before }) => before);
  const inputs = INPUTS.pairs.map(({ before }) => before);
  const mountParts = parts({ ...RUN.first, mounts }, 'mounts');
  const inputParts = parts({ ...COPIES['COPY --from']!.first, inputs }, 'sources');
  return [
    ...operations.flatMap((operation) => wrong(operation.kind, fieldsOf(operation))),
    ...mounts.flatMap(({ spec }, at) => wrong(spec.type, mountParts[at])),
    ...mounts.flatMap(({ spec, source }, at) =>
      ['bind', 'cache'].includes(spec.type) ? wrong(source?.type, mountParts[at]?.source) : [],
    ),
    ...inputs.flatMap(({ kind }, at) => wrong(kind, inputParts[at])),
  ];
}

/** All kinds, each with what is wrong with its keys. */
const KINDS: Readonly<Record<string, (most?: number) => Promise<string[]>>> = {
  'the names of kinds': wrongNames,
  base: (most) => wrongPairs(BASE.pairs, baseKey, most),
  'content keys': (most) => wrongPairs(object(SCOPE).pairs, contentScope, most),
  WORKDIR: (most) => wrongPairs<Operation>(WORKDIR.pairs, digestOfOperation, most),
  ...Object.fromEntries(
    Object.entries(COPIES).map(([name, { pairs }]) => [
      name,
      (most?: number) => wrongPairs<Operation>(pairs, digestOfOperation, most),
    ]),
  ),
  RUN: (most) => wrongPairs<Operation>(RUN.pairs, digestOfOperation, most),
};

for (const [name, wrong] of Object.entries(KINDS)) {
  test(`${name}: every field changes the key, or is said not to`, async () => {
    assert.deepEqual(await wrong(), []);
  });
}

test('no field of any table can be left out unnoticed', async () => {
  const fields = fieldsOfTables(KEY_TABLES);
  assert.ok(fields.length > 70, `${fields.length} fields`);
  const unnoticed: string[] = [];
  for (const field of fields) {
    const noticed = await field.without(async () => {
      for (const wrong of Object.values(KINDS)) if ((await wrong(1)).length > 0) return true;
      return false;
    });
    if (!noticed) unnoticed.push(field.name);
  }
  assert.deepEqual(unnoticed, []);
});
