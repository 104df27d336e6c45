import { closeSync, constants, existsSync, realpathSync, writeSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createDirectoryTree } from '../../context/dir-tree.ts';
import { checkInside } from '../../context/repository.ts';
import { treeHash } from '../../context/tree-hash.ts';
import type { SourceTree, TreeNode } from '../../context/types.ts';
import { AppError, toAppError, type Where } from '../../core/error.ts';
import { type BeneathDirectory, createBeneath } from '../../sys/beneath.ts';
import { symlinkEntry } from '../../sys/entry.ts';
import { readRegularFile } from '../../sys/regular-file.ts';
import { sharedSyscalls } from '../../sys/syscalls.ts';
import { featuresRoot } from './identifier.ts';
import { FEATURE_FILE, parseMetadata } from './metadata.ts';
import type { Feature, FeatureId } from './types.ts';
import { LARGEST_METADATA, UNPACK_LIMITS } from './unpack.ts';

/**
 * A feature in a folder beside devcontainer.json. Modes do not count, since its files are made executable anyway.
 * @throws AppError DEVCONTAINER when the folder is none of a feature, a link leads out of it, or it holds what is no file,
 * directory or link, or more than a feature may; OUTSIDE
 */
export async function localFeature(
  { written, path }: Extract<FeatureId, { type: 'local' }>,
  {
    configFolder,
    roots,
    where,
  }: { readonly configFolder: string; readonly roots: readonly string[]; readonly where: Where },
): Promise<Feature> {
  const refuse = (text: string, hint: string): AppError =>
    new AppError('DEVCONTAINER', `the feature "${written}" ${text}`, { where, hint });
  checkInside(path, roots, { property: `features ${written}`, where });
  const file = join(path, FEATURE_FILE);
  if (!existsSync(file))
    throw refuse(
      `has no ${FEATURE_FILE} in ${path}`,
      'the path is relative to the folder of devcontainer.json',
    );
  const root = realpathSync(featuresRoot(configFolder));
  if (relative(root, realpathSync(path)).startsWith('..'))
    throw refuse(
      `is a link to a folder outside of ${root}`,
      'move the feature below the .devcontainer folder',
    );
  const metadata = parseMetadata(readMetadata(file, root, written, where), `the feature "${written}"`, where);
  const tree = createDirectoryTree({ root: path, name: `the feature "${written}"` });
  const nodes = [...(await tree.list(''))];
  const odd = nodes.find(({ type }) => !['file', 'dir', 'symlink'].includes(type));
  if (odd) throw refuse(`holds "${odd.path}", which is a device or a pipe`, 'remove it from the feature');
  const bytes = nodes.reduce((sum, { size }) => sum + size, 0);
  if (bytes > UNPACK_LIMITS.bytes || nodes.length > UNPACK_LIMITS.entries)
    throw refuse(
      `is larger than a feature may be, ${UNPACK_LIMITS.bytes} bytes and ${UNPACK_LIMITS.entries} files`,
      'have the install script download what is large',
    );
  const items = nodes.map((node) => ({
    node: node.type === 'symlink' ? node : { ...node, mode: 0o755 },
    target: node.path,
    source: 0,
  }));
  const contentDigest = await treeHash(items, {
    ownership: false,
    tree,
  });
  return {
    metadata,
    contentDigest,
    write: async (directory) => copyNodes(tree, nodes, directory),
  };
}

function readMetadata(file: string, root: string, written: string, where: Where): string {
  try {
    return readRegularFile(file, { limit: LARGEST_METADATA, within: [root] }).toString('utf8');
  } catch (error) {
    throw toAppError(error, 'DEVCONTAINER', `cannot read ${FEATURE_FILE} of the feature "${written}"`, {
      where,
    });
  }
}

/** Copies what was listed into an empty directory; a link stays the link that it was. */
async function copyNodes(tree: SourceTree, nodes: readonly TreeNode[], target: string): Promise<void> {
  const directory = createBeneath(sharedSyscalls())(target);
  try {
    for (const node of nodes) {
      if (node.type === 'dir') directory.makeDirectory(node.path, { links: 'none' });
      else if (node.type === 'file') await copyFile(tree, node, directory);
      else
        directory.at(node.path, (entry) => symlinkEntry(node.linkname, entry), {
          links: 'none',
        });
    }
  } finally {
    directory.close();
  }
}

async function copyFile(tree: SourceTree, node: TreeNode, directory: BeneathDirectory): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const fd = directory.open(node.path, O_WRONLY | O_CREAT | O_EXCL, { links: 'none', mode: 0o755 });
  try {
    for await (const chunk of tree.open(node)) {
      const bytes = chunk as Buffer;
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    }
  } finally {
    closeSync(fd);
  }
  tree.checkUnchanged?.(node);
}
