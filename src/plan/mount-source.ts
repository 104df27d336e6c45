import { treeHash } from '../context/tree-hash.ts';
import { canonicalDigest } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import type { SourceRange } from '../core/error.ts';
import { resolveFrom as resolveFromName } from '../dockerfile/graph.ts';
import type { MountSpec } from '../dockerfile/types.ts';
import { contextItems } from './context-items.ts';
import { located } from './located.ts';
import type { ResolveMountSource } from './run-operation.ts';
import type { StageDeps } from './stage.ts';
import { type StageState, whereOf } from './stage-state.ts';
import type { TreeSource } from './types.ts';

/** Finds what a bind or cache mount reads: a stage, an image, or files of the build context. */
export function resolveMountSource(deps: StageDeps, state: StageState): ResolveMountSource {
  return async (mount: MountSpec, sourcePath: string) => {
    if (mount.type !== 'bind' && mount.type !== 'cache') return {};
    if (mount.from !== undefined) {
      const source = await resolveFrom(deps, state, mount.from, mount.range);
      return mount.type === 'cache' ? { source, seed: await seedOf(deps, source) } : { source };
    }
    if (mount.type === 'cache') return {};
    const tree = await deps.input.sources.context();
    const where = whereOf(state.dockerfile, mount.range);
    const items = await located(where, () => contextItems(tree, sourcePath));
    const hash = await treeHash(items, {
      ownership: false,
      contentDigest: (node) => tree.contentDigest(node),
    });
    return { source: { type: 'context', tree, items }, treeHash: hash };
  };
}

async function seedOf(deps: StageDeps, source: TreeSource): Promise<Digest> {
  if (source.type === 'stage') return (await deps.need(source.stage)).lastKey;
  return canonicalDigest(source.type === 'image' ? source.image.config.rootfs.diff_ids : []);
}

/** What `--from=` or `from=` names, an image being resolved. */
export async function resolveFrom(
  deps: StageDeps,
  state: StageState,
  name: string,
  range: SourceRange,
): Promise<TreeSource> {
  const where = whereOf(state.dockerfile, range);
  const source = resolveFromName(state.dockerfile, deps.stage.index, name, where);
  if (source.type !== 'image') return source;
  const { sources, platform } = deps.input;
  return { type: 'image', image: await located(where, () => sources.resolveImage(source.image, platform)) };
}
