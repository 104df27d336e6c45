import { resolveCopy } from '../context/resolve-copy.ts';
import type { CopyItem, SourceTree } from '../context/types.ts';
import type { Where } from '../core/error.ts';
import type { AddInstruction, CopyInstruction } from '../dockerfile/types.ts';
import { hashItems } from './context-items.ts';
import { located } from './located.ts';
import type { StageDeps } from './stage-deps.ts';
import { type StageState, whereOf } from './stage-state.ts';
import type { CopyInput } from './types.ts';

/** The sources of a COPY or ADD, with variables replaced. */
export interface CopyRequest {
  readonly deps: StageDeps;
  readonly state: StageState;
  readonly instruction: CopyInstruction | AddInstruction;
  readonly sources: readonly string[];
  readonly excludes: readonly string[];
  readonly parents: boolean;
  readonly destination: string;
}

/** The files of some sources, as one input. */
export async function contextInput(
  request: CopyRequest,
  sources: readonly string[],
  tree: SourceTree,
): Promise<CopyInput> {
  return itemsInput(tree, await itemsOf(request, tree, sources), request.destination);
}

/**
 * The files that sources name.
 * @throws AppError CONTEXT with the instruction's place, when a source names nothing
 */
export async function itemsOf(
  request: CopyRequest,
  tree: SourceTree,
  sources: readonly string[],
): Promise<CopyItem[]> {
  const where = whereOf(request.state.dockerfile, request.instruction.range);
  const { excludes, parents } = request;
  return located(where, () => resolveCopy(tree, { sources, excludes, parents, where }));
}

/** Files of a tree as an input, with the hash that stands for them in a key. */
export async function itemsInput(
  tree: SourceTree,
  items: readonly CopyItem[],
  destination: string,
): Promise<CopyInput> {
  return { kind: 'context', items, tree, treeHash: await hashItems(tree, items, destination) };
}

/** All files of a tree. */
export async function wholeTree(tree: SourceTree, where: Where): Promise<CopyInput> {
  const items = await resolveCopy(tree, { sources: ['/'], excludes: [], parents: false, where });
  return itemsInput(tree, items, '/');
}
