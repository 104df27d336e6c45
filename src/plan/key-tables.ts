import { type GitSource, gitAddress, parseGitUrl } from '../context/add-git.ts';
import type { Canonical } from '../core/canonical.ts';
import {
  asIs,
  type KeyFields,
  type KeyTable,
  type KeyTables,
  keyFields,
  orNull,
  out,
} from '../core/key-table.ts';
import type { MountSpec } from '../dockerfile/types.ts';
import type { ContainerConfig, Image, ImageConfig, Platform } from '../oci/types.ts';
import type {
  BaseKeyInput,
  CopyInput,
  CopyOperation,
  Operation,
  PlannedMount,
  RunOperation,
  WorkdirOperation,
} from './types.ts';

/** What the tables cannot tell by a value alone. */
export interface KeyContext {
  /** What stands for a stage: its last key, or what it holds. */
  readonly stageKey: (stage: number) => Canonical;
}

type MountSource = NonNullable<PlannedMount['source']>;
type Table<T> = KeyTable<T, KeyContext>;

const METADATA = out('only the config of the image holds it, and that is made anew in every build');
const WRITTEN = out('as it is written; what it means is in the other fields');
const FILES = out('the hash stands for the files');

const PLATFORM: Table<Platform> = { os: asIs(), architecture: asIs(), variant: asIs() };

const BASE_CONFIG: Table<ContainerConfig> = {
  Env: { as: 'env', in: (env) => env ?? [] },
  User: { as: 'user', in: (user) => user ?? '' },
  WorkingDir: { as: 'workdir', in: (directory) => directory || '/' },
  Shell: { as: 'shell', in: (shell) => shell ?? [] },
  OnBuild: { as: 'onbuild', in: (triggers) => triggers ?? [] },
  ExposedPorts: METADATA,
  Entrypoint: METADATA,
  Cmd: METADATA,
  Volumes: METADATA,
  Labels: METADATA,
  StopSignal: METADATA,
  ArgsEscaped: METADATA,
  Healthcheck: METADATA,
};

const CONTENT_SCOPE: Table<Omit<BaseKeyInput, 'diffIds' | 'config'>> = {
  salt: asIs(),
  platform: { spread: PLATFORM },
  mtime: asIs(),
};

const BASE: Table<BaseKeyInput> = { ...CONTENT_SCOPE, diffIds: asIs(), config: { spread: BASE_CONFIG } };

const IMAGE_CONFIG: Table<ImageConfig> = {
  rootfs: { spread: { type: out('there is only one'), diff_ids: asIs('diffIds') } },
  config: METADATA,
  created: METADATA,
  author: METADATA,
  history: METADATA,
  architecture: out('it changes no file that is taken from the image'),
  os: out('it changes no file that is taken from the image'),
  variant: out('it changes no file that is taken from the image'),
  'os.version': out('it changes no file that is taken from the image'),
  'os.features': out('it changes no file that is taken from the image'),
};

const ELSEWHERE = out('the same layers may lie elsewhere, compressed in another way');

const IMAGE: Table<Image> = {
  config: { spread: IMAGE_CONFIG },
  reference: ELSEWHERE,
  manifest: ELSEWHERE,
  parsed: ELSEWHERE,
  configBytes: ELSEWHERE,
  store: ELSEWHERE,
};

const SOURCES: KeyTables<MountSource, 'type', KeyContext> = {
  scratch: { type: asIs() },
  stage: { type: asIs(), stage: { in: (stage, _, { stageKey }) => stageKey(stage) } },
  image: { type: asIs(), image: { spread: IMAGE } },
  context: { type: asIs(), tree: FILES, items: FILES },
  deferred: { type: asIs(), digest: FILES, about: out('what people are told'), write: FILES },
};

const NOT_TAKEN = out('mounts of this type do not take it');
const MODE = { mode: asIs(), uid: asIs(), gid: asIs() } as const;
const NO_MODE = { mode: NOT_TAKEN, uid: NOT_TAKEN, gid: NOT_TAKEN } as const;

/** What no mount has in its key as it stands in the Dockerfile. */
const SPEC = {
  type: asIs(),
  source: out('sourcePath is the same'),
  target: out('the mount has it expanded and absolute'),
  from: out('the source of the mount is what it names'),
  text: WRITTEN,
  range: out('where it stands'),
} as const;

const SPECS: { readonly [T in MountSpec['type']]: Table<MountSpec> } = {
  bind: {
    ...SPEC,
    ...NO_MODE,
    readonly: asIs(),
    id: NOT_TAKEN,
    sharing: NOT_TAKEN,
    required: NOT_TAKEN,
    size: NOT_TAKEN,
    env: NOT_TAKEN,
  },
  cache: {
    ...SPEC,
    ...MODE,
    readonly: asIs(),
    id: asIs(),
    sharing: out('who else writes to the cache at that time; what is in it does not count'),
    required: NOT_TAKEN,
    size: NOT_TAKEN,
    env: NOT_TAKEN,
  },
  tmpfs: {
    ...SPEC,
    ...NO_MODE,
    size: asIs(),
    readonly: NOT_TAKEN,
    id: NOT_TAKEN,
    sharing: NOT_TAKEN,
    required: NOT_TAKEN,
    env: NOT_TAKEN,
  },
  secret: {
    ...SPEC,
    ...MODE,
    id: asIs(),
    env: asIs(),
    required: asIs(),
    readonly: NOT_TAKEN,
    sharing: NOT_TAKEN,
    size: NOT_TAKEN,
  },
  ssh: {
    ...SPEC,
    ...MODE,
    id: asIs(),
    required: asIs(),
    readonly: NOT_TAKEN,
    sharing: NOT_TAKEN,
    size: NOT_TAKEN,
    env: NOT_TAKEN,
  },
};

/** Whether files are taken out of a root: of those of a context the hash tells where they come from. */
const fromRoot = (source: PlannedMount['source']): boolean =>
  source !== undefined && source.type !== 'context' && source.type !== 'deferred';

const TARGET = { target: asIs(), seed: out('the source and the hash are what it is made of') } as const;

const FILE_MOUNT: Omit<Table<PlannedMount>, 'spec'> = {
  ...TARGET,
  source: { in: (source, _, context) => (source ? sourceFields(source, context) : undefined) },
  sourcePath: { as: 'path', in: (path, { source }) => (fromRoot(source) ? path : undefined) },
  treeHash: asIs('tree'),
};

const OTHER_MOUNT: Omit<Table<PlannedMount>, 'spec'> = {
  ...TARGET,
  source: NOT_TAKEN,
  sourcePath: NOT_TAKEN,
  treeHash: NOT_TAKEN,
};

const MOUNTS: { readonly [T in MountSpec['type']]: Table<PlannedMount> } = {
  bind: { ...FILE_MOUNT, spec: { spread: SPECS.bind } },
  cache: { ...FILE_MOUNT, spec: { spread: SPECS.cache } },
  tmpfs: { ...OTHER_MOUNT, spec: { spread: SPECS.tmpfs } },
  secret: { ...OTHER_MOUNT, spec: { spread: SPECS.secret } },
  ssh: { ...OTHER_MOUNT, spec: { spread: SPECS.ssh } },
};

const RUN: Table<RunOperation> = {
  kind: asIs(),
  argv: asIs('command'),
  // In their order, in which a command can print them.
  env: { as: 'environment', in: (env) => [...env].map(([name, value]) => `${name}=${value}`) },
  args: out('those that the command sees are in its environment'),
  user: asIs(),
  cwd: asIs('workdir'),
  network: asIs(),
  security: asIs(),
  mounts: { in: (mounts, _, context) => mounts.map((mount) => mountFields(mount, context)) },
  devices: { in: (devices) => devices?.map(({ name, required }) => ({ name, required })) },
  hostname: asIs(),
  script: { spread: { path: out('it is the last word of the command'), content: asIs('script') } },
};

const COPY: Table<CopyOperation> = {
  kind: asIs(),
  inputs: { as: 'sources', in: (inputs, _, context) => inputs.map((input) => inputFields(input, context)) },
  destination: asIs(),
  chown: orNull(),
  chmod: orNull(),
  link: asIs(),
  parents: asIs(),
  // The hash of a context's files is made without those that are left out; nothing else can leave any out.
  excludes: {
    in: (excludes, { inputs }) =>
      inputs.some(({ kind }) => kind === 'from' || kind === 'git') ? excludes : [],
  },
};

const WORKDIR: Table<WorkdirOperation> = { kind: asIs(), path: asIs(), user: asIs() };

const GIT_FILES = {
  subdir: asIs(),
  submodules: { in: (submodules: boolean | undefined) => (submodules === false ? false : undefined) },
  mtime: { in: (mtime: GitSource['mtime']) => (mtime === 'commit' ? mtime : undefined) },
  checksum: out('the commit was compared with it'),
  keepGitDir: out('the input has it'),
  fetchByCommit: out('how the commit is found'),
} as const;

const GIT_SOURCE: Table<GitSource> = {
  ...GIT_FILES,
  remote: out('a commit is the same everywhere'),
  ref: out('the commit is what it names'),
};

/** .git holds the address, and how the commit was fetched. */
const GIT_SOURCE_KEPT: Table<GitSource> = { ...GIT_FILES, remote: { in: gitAddress }, ref: asIs() };

const INPUTS: KeyTables<CopyInput, 'kind', KeyContext> = {
  context: { kind: asIs(), items: FILES, itemCount: FILES, tree: FILES, treeHash: asIs('tree') },
  archive: { kind: asIs(), path: FILES, tree: FILES, treeHash: asIs('tree') },
  inline: { kind: asIs(), name: asIs(), content: asIs() },
  url: {
    kind: asIs(),
    url: out('what it answers with counts'),
    name: asIs(),
    digest: asIs(),
    lastModified: asIs(),
    checksum: out('the digest is what it was compared with'),
    unpack: asIs(),
  },
  git: {
    kind: asIs(),
    url: {
      as: 'address',
      in: (url, { keepGitDir }, context) =>
        keyFields(keepGitDir ? GIT_SOURCE_KEPT : GIT_SOURCE, parseGitUrl(url), context),
    },
    commit: asIs(),
    keepGitDir: out('the address has a remote only with it'),
  },
  from: {
    kind: asIs(),
    source: { in: (source, _, context) => sourceFields(source, context) },
    paths: asIs(),
  },
};

/** Nothing of a base is a stage: one that builds on a stage goes on from its key. */
const NO_STAGES: KeyContext = { stageKey: () => null };

/** All tables, for the test that changes every field. */
export const KEY_TABLES = {
  base: BASE,
  contentScope: CONTENT_SCOPE,
  operations: { run: RUN, copy: COPY, workdir: WORKDIR },
  mounts: MOUNTS,
  inputs: INPUTS,
  sources: SOURCES,
  git: { left: GIT_SOURCE, kept: GIT_SOURCE_KEPT },
};

/** What a base is in the first key of a stage. */
export function baseFields(base: BaseKeyInput): KeyFields {
  return keyFields(BASE, base, NO_STAGES);
}

/** What content keys have of a base. */
export function contentScopeFields(base: Omit<BaseKeyInput, 'diffIds' | 'config'>): KeyFields {
  return keyFields(CONTENT_SCOPE, base, NO_STAGES);
}

/** What an operation is in the key of its step. */
export function operationFieldsOf(operation: Operation, context: KeyContext): KeyFields {
  switch (operation.kind) {
    case 'run':
      return keyFields(RUN, operation, context);
    case 'copy':
      return keyFields(COPY, operation, context);
    case 'workdir':
      return keyFields(WORKDIR, operation, context);
  }
}

function mountFields(mount: PlannedMount, context: KeyContext): KeyFields {
  return keyFields(MOUNTS[mount.spec.type], mount, context);
}

function inputFields(input: CopyInput, context: KeyContext): KeyFields {
  return keyFields(INPUTS[input.kind] as Table<CopyInput>, input, context);
}

function sourceFields(source: MountSource, context: KeyContext): KeyFields {
  return keyFields(SOURCES[source.type] as Table<MountSource>, source, context);
}
