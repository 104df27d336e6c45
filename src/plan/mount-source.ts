import type { SourceTree } from '../context/types.ts';
import { canonicalDigest } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import type { SourceRange } from '../core/error.ts';
import { resolveFrom as resolveFromName } from '../dockerfile/graph.ts';
import type { MountSpec } from '../dockerfile/types.ts';
import { contextItems, hashedItems, treePath } from './context-items.ts';
import { located } from './located.ts';
import { contextImage, contextStage, findContext, onlyMounts } from './named-context.ts';
import { orStage } from './or-stage.ts';
import type { ResolveMountSource } from './run-operation.ts';
import { checkPlatform } from './stage-checks.ts';
import type { StageDeps } from './stage-deps.ts';
import { type StageState, stageError, whereOf } from './stage-state.ts';
import type { TreeSource } from './types.ts';

/** Finds what a bind or cache mount reads: a stage, an image, or files of the build context. */
export function resolveMountSource(deps: StageDeps, state: StageState): ResolveMountSource {
  return async (mount: MountSpec, sourcePath: string) => {
    if (mount.type !== 'bind' && mount.type !== 'cache') return {};
    if (mount.from !== undefined) {
      const deferred = findContext(deps.input, mount.from);
      if (deferred?.type === 'deferred' && mount.type === 'bind' && sourcePath === '')
        return { source: deferred, treeHash: deferred.digest };
      const source = await resolveFrom(deps, state, mount.from, mount.range);
      if (source.type === 'context') {
        const files = await mountFiles(state, mount, source.tree, sourcePath);
        return mount.type === 'cache' ? { ...files, seed: files.treeHash } : files;
      }
      return mount.type === 'cache' ? { source, seed: await seedOf(deps, source) } : { source };
    }
    if (mount.type === 'cache') return {};
    return mountFiles(state, mount, await deps.input.sources.context(), sourcePath);
  };
}

async function mountFiles(state: StageState, mount: MountSpec, tree: SourceTree, path: string) {
  const where = whereOf(state.dockerfile, mount.range);
  const list = (from: SourceTree) => contextItems(from, path);
  const asked = { paths: [treePath(path)], question: 'mount', list };
  const { items, treeHash } = await located(where, () => hashedItems(tree, asked));
  return { source: { type: 'context', tree, items }, treeHash } as const;
}

async function seedOf(deps: StageDeps, source: TreeSource): Promise<Digest> {
  if (source.type === 'stage') return (await deps.need(source.stage)).lastKey;
  return canonicalDigest(source.type === 'image' ? source.image.config.rootfs.diff_ids : []);
}

/** What `--from=` or `from=` names, an image being resolved; a named context that is a directory gives its files. */
export async function resolveFrom(
  deps: StageDeps,
  state: StageState,
  name: string,
  range: SourceRange,
): Promise<TreeSource | { readonly type: 'context'; readonly tree: SourceTree }> {
  const where = whereOf(state.dockerfile, range);
  const source = resolveFromName(state.dockerfile, deps.stage.index, name, where);
  if (source.type !== 'image') return source;
  const { sources, platform } = deps.input;
  const context = findContext(deps.input, source.image);
  if (context?.type === 'deferred') throw stageError(state, range, onlyMounts(context.name));
  if (context?.type === 'image' || context?.type === 'layout') {
    const image = await located(where, () => contextImage(deps.input, context, platform));
    return { type: 'image', image };
  }
  if (context?.type === 'target') return contextStage(deps.input, context, deps.stage.index, where);
  if (context) return { type: 'context', tree: await located(where, () => sources.context(context.name)) };
  const stages = deps.input.dockerfile.stages.slice(0, deps.stage.index);
  const image = await orStage(source.image, stages, () =>
    located(where, () => sources.resolveImage(source.image, platform)),
  );
  checkPlatform(deps, { name: source.image, image, wanted: platform }, range);
  return { type: 'image', image };
}
