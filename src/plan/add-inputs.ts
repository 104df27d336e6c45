import { checkCommit, isGitUrl, parseGitUrl } from '../context/add-git.ts';
import { isArchive } from '../context/archive.ts';
import { broughtBy, together } from '../context/brought.ts';
import { copiedPaths, resolveCopy } from '../context/resolve-copy.ts';
import type { Brought, CopyItem, SourceTree } from '../context/types.ts';
import type { AddInstruction } from '../dockerfile/types.ts';
import { type CopyRequest, contextInput } from './context-input.ts';
import { hashItems } from './context-items.ts';
import { located } from './located.ts';
import { expand, stageError, whereOf } from './stage-state.ts';
import type { CopyInput } from './types.ts';

/** What ADD copies: each source by itself, as files of the context, an archive to unpack, a URL or a repository. */
export async function addInputs(request: CopyRequest, instruction: AddInstruction): Promise<CopyInput[]> {
  const inputs: CopyInput[] = [];
  const remote = request.sources.filter((source) => isGitUrl(source) || isUrl(source));
  if (instruction.checksum !== undefined && (remote.length !== 1 || request.sources.length !== 1)) {
    throw stageError(
      request.state,
      instruction.range,
      'ADD --checksum needs exactly one source, a URL or a git repository',
    );
  }
  const counted: Brought[] = [];
  const local = { ...request, placing: { ...request.placing, counted } };
  for (const source of request.sources) {
    if (isGitUrl(source)) inputs.push(await gitInput(request, instruction, source));
    else if (isUrl(source)) inputs.push(await urlInput(request, instruction, source));
    else inputs.push(...(await localInputs(local, instruction, source, counted)));
  }
  // Inputs that are listed again hold on to the list, and the list to all files.
  counted.length = 0;
  return inputs;
}

/** ADD unpacks every file that it names and that is an archive; files inside a named directory are left as they are. */
async function localInputs(
  request: CopyRequest,
  instruction: AddInstruction,
  source: string,
  counted: Brought[],
): Promise<CopyInput[]> {
  const tree = await request.deps.input.sources.context();
  const where = whereOf(request.state.dockerfile, request.instruction.range);
  // No file of a directory is unpacked, so that nobody has to see them all.
  if (await located(where, () => namesDirectory(tree, source)))
    return [await contextInput(request, [source], tree)];
  const { excludes, parents } = request;
  const items = [
    ...(await located(where, () => resolveCopy(tree, { sources: [source], excludes, parents, where }))),
  ];
  const inputs: CopyInput[] = [];
  let plain: CopyItem[] = [];
  const flush = async (): Promise<void> => {
    const files = plain;
    const treeHash = await located(where, () => hashItems(tree, files, request.placing));
    inputs.push({ kind: 'context', tree, items: async () => files, treeHash });
    plain = [];
  };
  for (const [index, item] of items.entries()) {
    // The contents of a named directory begin with the directory itself.
    const named = item.node.type === 'file' && item.source !== items[index - 1]?.source;
    if (!named || instruction.unpack === false || !(await isArchive(tree, item.node))) {
      plain.push(item);
      continue;
    }
    if (plain.length > 0) await flush();
    // What comes out of it is told by its content alone.
    const treeHash = await located(where, async () => {
      counted.push(broughtBy([item]));
      tree.checkRoom?.(together(counted));
      return tree.contentDigest(item.node);
    });
    inputs.push({ kind: 'archive', path: item.node.path, tree, treeHash });
  }
  if (plain.length > 0 || inputs.length === 0) await flush();
  return inputs;
}

async function namesDirectory(tree: SourceTree, source: string): Promise<boolean> {
  const [path] = copiedPaths({ sources: [source], parents: false }) ?? [];
  return path !== undefined && (await tree.stat(path))?.type === 'dir';
}

async function urlInput(request: CopyRequest, instruction: AddInstruction, url: string): Promise<CopyInput> {
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

async function gitInput(request: CopyRequest, instruction: AddInstruction, url: string): Promise<CopyInput> {
  const { state, deps } = request;
  const where = whereOf(state.dockerfile, instruction.range);
  const { checksum: named, keepGitDir = instruction.keepGitDir } = await located(where, async () =>
    parseGitUrl(url),
  );
  if (instruction.keepGitDir !== undefined && keepGitDir !== instruction.keepGitDir)
    throw stageError(
      state,
      instruction.range,
      '--keep-git-dir and the query of the URL say different things',
    );
  const wanted =
    instruction.checksum === undefined ? undefined : expand(state, instruction.checksum, instruction.range);
  if (wanted !== undefined && named !== undefined && wanted !== named)
    throw stageError(state, instruction.range, '--checksum and the query of the URL say different things');
  const { commit } = await located(where, async () =>
    checkCommit(url, await deps.input.sources.gitCommit(url), wanted),
  );
  return { kind: 'git', url, commit, keepGitDir: keepGitDir === true };
}

function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}
