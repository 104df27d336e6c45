import { createHmac } from 'node:crypto';
import type { CopyItem, SourceTree } from '../../context/types.ts';
import { type Canonical, canonicalBytes, canonicalDigest } from '../../core/canonical.ts';
import { hexOf } from '../../core/digest.ts';
import { maskUrlCredentials } from '../../core/url-credentials.ts';
import { operationFields } from '../../plan/keys.ts';
import type {
  CopyInput,
  CopyOperation,
  Plan,
  PlannedMount,
  PlannedStage,
  RunOperation,
  Step,
  TreeSource,
} from '../../plan/types.ts';

/** Short marks of the parts of a step, by kind and name: equal marks mean equal values, but for one in 260,000. */
export type Parts = Readonly<Record<string, string>>;

/** Marks a value under a name. */
export type Mark = (name: string, value: Canonical) => string;

/** Characters of a mark, of 6 bits each. */
const MARK_LENGTH = 3;

/**
 * Marks for the traces of one kind of build. They are salted with the name of the trace, with that of the part and with the
 * cache salt, and so short that they tell next to nothing of a value (decision 86); the same value has the same mark in every
 * build, so that many traces tell no more than one.
 */
export function createMark(tag: string, salt: string | undefined): Mark {
  const key = Buffer.from(hexOf(canonicalDigest({ trace: tag, salt: salt ?? null })), 'hex');
  return (name, value) =>
    createHmac('sha256', key)
      // Texts are most of what is marked, and have one form already.
      .update(`${name}\0`)
      .update(typeof value === 'string' ? value : canonicalBytes(value))
      .digest('base64url')
      .slice(0, MARK_LENGTH);
}

/** The parts of a step's key but for the files of contexts, which have marks by themselves, as `kind name`. */
export function stepParts(plan: Plan, { operation }: Step, mark: Mark): Parts {
  const parts: Record<string, string> = {};
  const add = (part: string, value: Canonical | undefined): void => {
    if (value !== undefined) parts[part] = mark(part, value);
  };
  if (operation.kind === 'run') runParts(plan, operation, add);
  else if (operation.kind === 'copy') copyParts(plan, operation, add);
  else {
    add('workdir', operation.path);
    add('user', operation.user);
  }
  return parts;
}

/** The parts of what a stage starts from besides its layers. */
export function baseParts({ baseInput: { config } }: PlannedStage, mark: Mark): Parts {
  const parts: Record<string, string> = {};
  const add = (part: string, value: Canonical): void => {
    parts[part] = mark(part, value);
  };
  for (const line of config.Env ?? []) {
    const name = line.split('=', 1)[0]!;
    add(`ENV ${name}`, line.slice(name.length));
  }
  add('USER', config.User ?? '');
  add('WORKDIR', config.WorkingDir || '/');
  add('SHELL', config.Shell ?? []);
  add('ONBUILD', config.OnBuild ?? []);
  return parts;
}

type Add = (part: string, value: Canonical | undefined) => void;

function runParts(plan: Plan, operation: RunOperation, add: Add): void {
  const { argv, env, args, script } = operation;
  const fields = fieldsOf(plan, operation);
  add('command', script ? [] : (argv.at(-1) ?? ''));
  add('shell', argv.slice(0, -1));
  add('script', script?.content);
  // The address of an agent comes and goes with its mount.
  const agent = operation.mounts.some(({ spec }) => spec.type === 'ssh');
  const seen = [...env].filter(([name]) => !agent || name !== 'SSH_AUTH_SOCK');
  for (const [name, value] of seen) add(`${args.has(name) ? 'arg' : 'env'} ${name}`, value);
  add(
    'order',
    seen.map(([name]) => name),
  );
  for (const name of ['user', 'workdir', 'network', 'security', 'hostname'] as const) add(name, fields[name]);
  add('device', fields.devices);
  for (const mount of operation.mounts) mountParts(plan, mount, add);
}

function mountParts(plan: Plan, mount: PlannedMount, add: Add): void {
  const { spec, target, treeHash, source, sourcePath } = mount;
  const { type, id } = spec;
  const named = type === 'secret' || type === 'ssh';
  const part = named ? `${type} ${id ?? 'default'}` : `mount ${target}`;
  const { readonly = null, required = null, mode = null, uid = null, gid = null, size = null } = spec;
  add(part, [type, target, id ?? null, spec.env ?? null, readonly, required, mode, uid, gid, size]);
  if (treeHash) add(`mount-files ${target}`, treeHash);
  else if (source) add(`mount-files ${target}`, [sourcePath, sourceKey(plan, source)]);
}

function copyParts(plan: Plan, operation: CopyOperation, add: Add): void {
  const { destination, chown = null, chmod = null, link, parents, excludes, inputs } = operation;
  for (const [name, value] of Object.entries({ destination, chown, chmod, link, parents, exclude: excludes }))
    add(name, value);
  add(
    'sources',
    inputs.map(({ kind }) => kind),
  );
  for (const [index, input] of inputs.entries()) inputParts(plan, input, index, add);
}

function inputParts(plan: Plan, input: CopyInput, index: number, add: Add): void {
  switch (input.kind) {
    case 'context':
    case 'archive':
      return add(`files ${index}`, input.treeHash);
    case 'inline':
      return add(`inline ${input.name}`, input.content);
    case 'url': {
      const { url, name, digest, lastModified = null, unpack } = input;
      return add(`url ${maskUrlCredentials(url)}`, [name, digest, lastModified, unpack]);
    }
    case 'git':
      return add(`git ${maskUrlCredentials(input.url)}`, [input.commit, input.keepGitDir]);
    case 'from': {
      const { source, paths } = input;
      add(`sources ${index}`, paths);
      if (source.type === 'stage')
        return add(`stage ${plan.stages.get(source.stage)!.name}`, sourceKey(plan, source));
      if (source.type === 'image')
        add(`image ${maskUrlCredentials(source.image.reference)}`, sourceKey(plan, source));
    }
  }
}

type MountSource = NonNullable<PlannedMount['source']>;

function sourceKey(plan: Plan, source: MountSource | TreeSource): Canonical {
  if (source.type === 'stage') return plan.stages.get(source.stage)!.lastKey;
  if (source.type === 'image') return source.image.config.rootfs.diff_ids;
  return source.type === 'deferred' ? source.digest : source.type;
}

function fieldsOf(plan: Plan, operation: RunOperation) {
  return operationFields(operation, (stage) => plan.stages.get(stage)!.lastKey);
}

/** So many files of a step are noted at all: more would cost too much time. */
const MOST_LISTED = 20_000;
/** Files that are noted one by one, for a step; where there are more, they are noted by directories. */
const MOST_FILES = 1500;
const DEEPEST = 8;

/** The files that a step copies out of contexts. */
export interface FileMarks {
  /** Marks by path; a path that ends in `/` stands for all of a directory. */
  readonly files: Parts;
  /** Names in a path that files are told apart by; 0 for all. */
  readonly depth: number;
}

/**
 * Marks of the files that a step copies; undefined where it copies none of a context.
 * @param depth as an earlier trace has it; else the deepest that gives few enough
 * @throws AppError CONTEXT when they are no longer those of the plan
 */
export async function fileMarks(
  { operation }: Step,
  mark: Mark,
  depth?: number,
): Promise<FileMarks | undefined> {
  if (operation.kind !== 'copy') return undefined;
  const inputs = operation.inputs.filter((input) => input.kind === 'context');
  if (inputs.length === 0) return undefined;
  if (inputs.some(({ itemCount }) => (itemCount?.() ?? 0) > MOST_LISTED)) return undefined;
  const all = new Map<string, string>();
  for (const { items, tree } of inputs)
    for (const item of await items()) {
      const { path, type } = item.node;
      // What is copied whole has the mode of its destination.
      if (item.target === '' && type === 'dir') continue;
      all.set(path, `${all.get(path) ?? ''}${await fileState(item, tree)}\n`);
      if (all.size > MOST_LISTED) return undefined;
    }
  const marked = (at: number): FileMarks => ({ files: markGroups(grouped(all, at), mark), depth: at });
  if (depth !== undefined) return marked(depth);
  if (all.size <= MOST_FILES) return marked(0);
  for (let most = DEEPEST; most > 0; most -= 1)
    if (grouped(all, most).size <= MOST_FILES) return marked(most);
  return undefined;
}

async function fileState({ node, target }: CopyItem, tree: SourceTree): Promise<string> {
  const { type, mode, linkname, devmajor, devminor } = node;
  const content = type === 'file' ? await tree.contentDigest(node) : '';
  return [target, type, type === 'symlink' ? 0 : mode, linkname, devmajor, devminor, content].join('\0');
}

/** The states of files by path, or by the first names of their paths. */
function grouped(all: ReadonlyMap<string, string>, depth: number): ReadonlyMap<string, string> {
  if (depth === 0) return all;
  const groups = new Map<string, string[]>();
  for (const [path, state] of all) {
    const names = path.split('/');
    const group = names.length > depth ? `${names.slice(0, depth).join('/')}/` : path;
    const known = groups.get(group);
    if (known) known.push(path, state);
    else groups.set(group, [path, state]);
  }
  return new Map([...groups].map(([group, states]) => [group, states.join('\0')]));
}

function markGroups(groups: ReadonlyMap<string, string>, mark: Mark): Parts {
  return Object.fromEntries([...groups].map(([path, state]) => [path, mark(`file ${path}`, state)]));
}
