import { posix } from 'node:path';
import { isGitUrl } from '../context/add-git.ts';
import { isArchive } from '../context/archive.ts';
import { resolveCopy } from '../context/resolve-copy.ts';
import { treeHash } from '../context/tree-hash.ts';
import type { CopyItem, SourceTree } from '../context/types.ts';
import type { Where } from '../core/error.ts';
import { expandHeredoc } from '../dockerfile/expand.ts';
import type { AddInstruction, CopyInstruction, Heredoc } from '../dockerfile/types.ts';
import { located } from './located.ts';
import { resolveFrom } from './mount-source.ts';
import { joinImagePath } from './paths.ts';
import type { StageDeps } from './stage.ts';
import { expand, type StageState, stageError, whereOf, workdirOf } from './stage-state.ts';
import type { CopyInput, CopyOperation } from './types.ts';

/** A copy of everything into the root. */
export const COPY_ALL = {
  kind: 'copy',
  destination: '/',
  link: false,
  parents: false,
  excludes: [],
  sourceCount: 1,
} as const satisfies Omit<CopyOperation, 'inputs'>;

/** All files of a tree. */
export async function wholeTree(tree: SourceTree, where: Where): Promise<CopyInput> {
  return hashed(tree, await resolveCopy(tree, { sources: ['/'], excludes: [], parents: false, where }));
}

/** A COPY or ADD with its sources listed and hashed, as far as they are the context's, a URL's or a repository's. */
export async function planCopy(
  deps: StageDeps,
  state: StageState,
  instruction: CopyInstruction | AddInstruction,
): Promise<CopyOperation> {
  const { range } = instruction;
  const word = (text: string): string => expand(state, text, range);
  const sources = instruction.sources.map(word);
  const { excludes } = instruction;
  const destination = joinImagePath(workdirOf(state), word(instruction.destination));
  const sourceCount = sources.length + instruction.heredocs.length;
  if (sourceCount > 1 && !destination.endsWith('/')) {
    throw stageError(
      state,
      range,
      `${instruction.kind.toUpperCase()} of several sources needs a directory as its destination`,
      `write ${destination}/`,
    );
  }
  const parents = instruction.kind === 'copy' && instruction.parents;
  const inputs: CopyInput[] = instruction.heredocs.map((heredoc) => inlineInput(state, heredoc));
  const request: SourceRequest = { deps, state, instruction, sources, excludes, parents };
  inputs.push(
    ...(instruction.kind === 'copy'
      ? await copyInputs(request, instruction)
      : await addInputs(request, instruction)),
  );
  return {
    kind: 'copy',
    inputs,
    destination: destination === '/' ? '/' : destination,
    ...(instruction.chown === undefined ? {} : { chown: word(instruction.chown) }),
    ...(instruction.chmod === undefined ? {} : { chmod: word(instruction.chmod) }),
    link: instruction.link,
    parents,
    excludes,
    sourceCount,
  };
}

interface SourceRequest {
  readonly deps: StageDeps;
  readonly state: StageState;
  readonly instruction: CopyInstruction | AddInstruction;
  readonly sources: readonly string[];
  readonly excludes: readonly string[];
  readonly parents: boolean;
}

async function copyInputs(request: SourceRequest, instruction: CopyInstruction): Promise<CopyInput[]> {
  const { deps, state, sources } = request;
  if (sources.length === 0) return [];
  if (instruction.from === undefined) {
    return [await contextInput(request, sources, await deps.input.sources.context())];
  }
  const source = await resolveFrom(deps, state, instruction.from, instruction.range);
  if (source.type === 'context') return [await contextInput(request, sources, source.tree)];
  return [{ kind: 'from', source, paths: sources }];
}

async function addInputs(request: SourceRequest, instruction: AddInstruction): Promise<CopyInput[]> {
  const inputs: CopyInput[] = [];
  const remote = request.sources.filter((source) => isGitUrl(source) || isUrl(source));
  if (instruction.checksum !== undefined && (remote.length !== 1 || request.sources.length !== 1)) {
    throw stageError(
      request.state,
      instruction.range,
      'ADD --checksum needs exactly one source, a URL or a git repository',
    );
  }
  for (const source of request.sources) {
    if (isGitUrl(source)) inputs.push(await gitInput(request, instruction, source));
    else if (isUrl(source)) inputs.push(await urlInput(request, instruction, source));
    else inputs.push(...(await localInputs(request, instruction, source)));
  }
  return inputs;
}

async function contextInput(
  request: SourceRequest,
  sources: readonly string[],
  tree: SourceTree,
): Promise<CopyInput> {
  return hashed(tree, await itemsOf(request, tree, sources));
}

async function itemsOf(
  request: SourceRequest,
  tree: SourceTree,
  sources: readonly string[],
): Promise<CopyItem[]> {
  const where = whereOf(request.state.dockerfile, request.instruction.range);
  const { excludes, parents } = request;
  return located(where, () => resolveCopy(tree, { sources, excludes, parents, where }));
}

async function hashed(tree: SourceTree, items: readonly CopyItem[]): Promise<CopyInput> {
  const hash = await treeHash(items, { ownership: false, contentDigest: (node) => tree.contentDigest(node) });
  return { kind: 'context', items, tree, treeHash: hash };
}

/** ADD unpacks every file that it names and that is an archive; files inside a named directory are left as they are. */
async function localInputs(
  request: SourceRequest,
  instruction: AddInstruction,
  source: string,
): Promise<CopyInput[]> {
  const tree = await request.deps.input.sources.context();
  const items = await itemsOf(request, tree, [source]);
  const plain: CopyItem[] = [];
  const inputs: CopyInput[] = [];
  for (const item of items) {
    const named = item.node.type === 'file' && !item.target.includes('/');
    const unpack =
      named && isNamed(item, items) && instruction.unpack !== false && (await isArchive(tree, item.node));
    if (!unpack) {
      plain.push(item);
      continue;
    }
    const hash = await treeHash([item], {
      ownership: false,
      contentDigest: (node) => tree.contentDigest(node),
    });
    inputs.push({ kind: 'archive', path: item.node.path, tree, treeHash: hash });
  }
  if (plain.length > 0 || inputs.length === 0) inputs.push(await hashed(tree, plain));
  return inputs;
}

/** Whether an item was named itself (or matched by a wildcard), not found inside a named directory. */
function isNamed(item: CopyItem, items: readonly CopyItem[]): boolean {
  return !items.some(
    (other) =>
      other.node.type === 'dir' &&
      item.node.path.startsWith(other.node.path === '' ? '' : `${other.node.path}/`),
  );
}

async function urlInput(
  request: SourceRequest,
  instruction: AddInstruction,
  url: string,
): Promise<CopyInput> {
  const checksum =
    instruction.checksum === undefined
      ? undefined
      : expand(request.state, instruction.checksum, instruction.range);
  const where = whereOf(request.state.dockerfile, instruction.range);
  const facts = await located(where, () => request.deps.input.sources.url(url, checksum));
  return {
    kind: 'url',
    url,
    name: facts.name,
    digest: facts.digest,
    ...(facts.lastModified === undefined ? {} : { lastModified: facts.lastModified }),
    ...(checksum === undefined ? {} : { checksum }),
    unpack: instruction.unpack === true,
  };
}

async function gitInput(
  request: SourceRequest,
  instruction: AddInstruction,
  url: string,
): Promise<CopyInput> {
  const where = whereOf(request.state.dockerfile, instruction.range);
  const commit = await located(where, () => request.deps.input.sources.gitCommit(url));
  const wanted =
    instruction.checksum === undefined
      ? undefined
      : expand(request.state, instruction.checksum, instruction.range);
  if (wanted !== undefined && !commit.startsWith(wanted)) {
    throw stageError(
      request.state,
      instruction.range,
      `ADD ${url} is at commit ${commit}, not at ${wanted}`,
      'update --checksum, or name the commit in the URL',
    );
  }
  return { kind: 'git', url, commit, keepGitDir: instruction.keepGitDir };
}

function inlineInput(state: StageState, heredoc: Heredoc): CopyInput {
  const { dockerfile, environment } = state;
  const text = heredoc.expand
    ? expandHeredoc(heredoc.content, environment.lookup, whereOf(dockerfile, heredoc.range))
    : heredoc.content;
  return { kind: 'inline', name: posix.basename(heredoc.name), content: Buffer.from(text) };
}

function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}
