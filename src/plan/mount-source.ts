import { treeHash } from '../context/tree-hash.ts';
import type { MountSpec } from '../dockerfile/types.ts';
import { located } from './located.ts';
import type { ResolveMountSource } from './run-operation.ts';
import type { StageDeps } from './stage.ts';
import { type StageState, whereOf } from './stage-state.ts';
import { contextItems } from './context-items.ts';

/** Finds what a bind or cache mount reads: a stage, an image, or files of the build context. */
export function resolveMountSource(deps: StageDeps, state: StageState): ResolveMountSource {
  return async (mount: MountSpec, sourcePath: string) => {
    if (mount.type !== 'bind' && mount.type !== 'cache') return {};
    if (mount.from !== undefined) {
      return { source: await resolveFrom(deps, state, mount.from, mount.range) };
    }
    if (mount.type === 'cache') return {};
    const tree = await deps.input.sources.context();
    const where = whereOf(state.dockerfile, mount.range);
    const items = await located(where, () => contextItems(tree, sourcePath));
    const hash = await treeHash(items, { ownership: false, contentDigest: (node) => tree.contentDigest(node) });
    return { source: { type: 'context', tree, items }, treeHash: hash };
  };
}

/** The stage or image of `--from=` or `from=`: a stage by name or index first, else an image. */
export async function resolveFrom(
  deps: StageDeps,
  state: StageState,
  name: string,
  range: MountSpec['range'],
): Promise<NonNullable<ReturnType<StageDeps['find']>>> {
  const stage = deps.find(name, deps.stage.index, true);
  if (stage) return stage;
  const where = whereOf(state.dockerfile, range);
  const image = await located(where, () => deps.input.sources.resolveImage(name, deps.input.platform));
  return { type: 'image', image };
}
