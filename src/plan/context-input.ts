import { copiedPaths, type CopyRequest as ResolveRequest, resolveCopy } from '../context/resolve-copy.ts';
import type { SourceTree } from '../context/types.ts';
import type { Where } from '../core/error.ts';
import type { AddInstruction, CopyInstruction } from '../dockerfile/types.ts';
import { hashedItems, type Placing } from './context-items.ts';
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
  readonly placing: Placing;
  /** --chmod, expanded. */
  readonly chmod: string | undefined;
}

/**
 * The files that sources name, as one input.
 * @throws AppError CONTEXT with the instruction's place, when a source names nothing
 */
export async function contextInput(
  request: CopyRequest,
  sources: readonly string[],
  tree: SourceTree,
): Promise<CopyInput> {
  const where = whereOf(request.state.dockerfile, request.instruction.range);
  const { excludes, parents, placing, chmod = null } = request;
  return located(where, () => copyInput(tree, { sources, excludes, parents, where }, { placing, chmod }));
}

/** All files of a tree. */
export function wholeTree(tree: SourceTree, where: Where): Promise<CopyInput> {
  return copyInput(
    tree,
    { sources: ['/'], excludes: [], parents: false, where },
    { placing: { destination: '/' }, chmod: null },
  );
}

async function copyInput(
  tree: SourceTree,
  request: ResolveRequest,
  { placing, chmod }: { readonly placing: Placing; readonly chmod: string | null },
): Promise<CopyInput> {
  const { where, ...named } = request;
  const list = (from: SourceTree) => located(where, () => resolveCopy(from, request));
  const question = { ...named, chmod, destination: placing.destination };
  const asked = { paths: copiedPaths(request), question, list, placing };
  return { kind: 'context', ...(await hashedItems(tree, asked)) };
}
