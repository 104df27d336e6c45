import { cpSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createDirectoryTree } from '../../context/dir-tree.ts';
import { treeHash } from '../../context/tree-hash.ts';
import { AppError, type Where } from '../../core/error.ts';
import { featuresRoot } from './identifier.ts';
import { FEATURE_FILE, parseMetadata } from './metadata.ts';
import type { Feature, FeatureId } from './types.ts';

/**
 * A feature in a folder beside devcontainer.json. Modes do not count, since its files are made executable anyway.
 * @throws AppError DEVCONTAINER when the folder is none of a feature, or a link leads out of it
 */
export async function localFeature(
  { written, path }: Extract<FeatureId, { type: 'local' }>,
  { configFolder, where }: { readonly configFolder: string; readonly where: Where },
): Promise<Feature> {
  const file = join(path, FEATURE_FILE);
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new AppError('DEVCONTAINER', `the feature "${written}" has no ${FEATURE_FILE} in ${path}`, {
      where,
      hint: 'the path is relative to the folder of devcontainer.json',
    });
  }
  const root = realpathSync(featuresRoot(configFolder));
  if (relative(root, realpathSync(path)).startsWith('..')) {
    throw new AppError('DEVCONTAINER', `the feature "${written}" is a link to a folder outside of ${root}`, {
      where,
      hint: 'move the feature below the .devcontainer folder',
    });
  }
  const metadata = parseMetadata(readFileSync(file, 'utf8'), `the feature "${written}"`, where);
  const tree = createDirectoryTree({ root: path, name: `the feature "${written}"` });
  const items = (await tree.list('')).map((node) => ({
    node: node.type === 'symlink' ? node : { ...node, mode: 0o755 },
    target: node.path,
    source: 0,
  }));
  const contentDigest = await treeHash(items, {
    ownership: false,
    contentDigest: (node) => tree.contentDigest(node),
  });
  return {
    metadata,
    contentDigest,
    write: async (directory) => cpSync(path, directory, { recursive: true, verbatimSymlinks: true }),
  };
}
