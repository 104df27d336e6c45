import { createHash } from 'node:crypto';
import { readTar, type TarEntry } from './tar-reader.ts';
import type { Tree, TreeEntry } from './tree.ts';

/** Longest content that reports show, in bytes. */
const SHORT_FILE = 200;

const types: Readonly<Record<string, TreeEntry['type']>> = {
  '0': 'file',
  '7': 'file',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
};

/** What a name points to; hard links share one. */
interface Inode {
  entry: TreeEntry;
  readonly names: Set<string>;
}

/**
 * Applies the tars of layers in order, as the OCI image specification's layer.md describes, and describes the result.
 * @param madeAfter seconds since the epoch; a later mtime is described as `now`
 */
export function flatten(
  layers: readonly Buffer[],
  madeAfter: number,
): { readonly tree: Tree; readonly problems: readonly string[] } {
  const nodes = new Map<string, { inode: Inode; layer: number }>();
  const problems: string[] = [];
  const remove = (path: string, below: number) => {
    const prefix = path === '/' ? '/' : `${path}/`;
    for (const [name, node] of [...nodes]) {
      const hit = name === path || (name.startsWith(prefix) && name !== '/');
      if (hit && node.layer < below) {
        node.inode.names.delete(name);
        nodes.delete(name);
      }
    }
  };
  for (const [layer, tar] of layers.entries()) {
    const seen = new Set<string>();
    for (const item of readTar(tar)) {
      const path = absolute(item.name);
      const slash = path.lastIndexOf('/');
      const base = path.slice(slash + 1);
      const parent = path.slice(0, slash) || '/';
      if (base === '.wh..wh..opq') {
        const own = nodes.get(parent);
        remove(parent, layer);
        if (own !== undefined) {
          nodes.set(parent, own);
          own.inode.names.add(parent);
        }
        continue;
      }
      if (base.startsWith('.wh.')) {
        const target = `${parent === '/' ? '' : parent}/${base.slice(4)}`;
        if (!nodes.has(target)) problems.push(`layer ${layer}: whiteout of ${target}, which does not exist`);
        remove(target, layer);
        continue;
      }
      if (seen.has(path)) problems.push(`layer ${layer}: ${path} stands there twice`);
      seen.add(path);
      addParents(nodes, path, layer, problems);
      const old = nodes.get(path);
      if (old !== undefined && !(old.inode.entry.type === 'dir' && item.type === '5'))
        remove(path, layer + 1);
      old?.inode.names.delete(path);
      const inode =
        item.type === '1'
          ? linked(nodes, item, layer, problems)
          : { entry: describe(item, madeAfter), names: new Set<string>() };
      if (inode === undefined) continue;
      inode.names.add(path);
      nodes.set(path, { inode, layer });
    }
  }
  const tree: Record<string, TreeEntry> = {};
  for (const path of [...nodes.keys()].sort()) {
    const inode = nodes.get(path)!.inode;
    tree[path] = inode.names.size > 1 ? { ...inode.entry, names: [...inode.names].sort() } : inode.entry;
  }
  return { tree, problems };
}

function absolute(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new Error(`tar: ${name} leaves the root`);
  return `/${parts.join('/')}`;
}

function linked(
  nodes: ReadonlyMap<string, { inode: Inode; layer: number }>,
  item: TarEntry,
  layer: number,
  problems: string[],
): Inode | undefined {
  const target = nodes.get(absolute(item.linkname));
  if (target === undefined)
    problems.push(`layer ${layer}: hard link ${item.name} to ${item.linkname}, which is not there`);
  else if (target.layer !== layer) {
    problems.push(`layer ${layer}: hard link ${item.name} to ${item.linkname} of a lower layer`);
  }
  return target?.inode;
}

function addParents(
  nodes: Map<string, { inode: Inode; layer: number }>,
  path: string,
  layer: number,
  problems: string[],
): void {
  const parts = path.split('/').slice(1, -1);
  let at = '';
  for (const part of parts) {
    at += `/${part}`;
    const node = nodes.get(at);
    if (node !== undefined && node.inode.entry.type !== 'dir') {
      problems.push(`layer ${layer}: ${path} lies below ${at}, a ${node.inode.entry.type}`);
    }
    if (node === undefined) {
      const entry: TreeEntry = {
        type: 'dir',
        mode: 0o755,
        uid: 0,
        gid: 0,
        size: 0,
        xattrs: {},
        mtime: 'now',
      };
      nodes.set(at, { inode: { entry, names: new Set([at]) }, layer });
    }
  }
}

function describe(item: TarEntry, madeAfter: number): TreeEntry {
  const type = types[item.type];
  if (type === undefined) throw new Error(`tar: ${item.name} has the unknown type ${item.type}`);
  return {
    type,
    mode: type === 'symlink' ? 0o777 : item.mode,
    uid: item.uid,
    gid: item.gid,
    size: type === 'file' ? item.data.length : 0,
    ...(type === 'file' && { sha256: createHash('sha256').update(item.data).digest('hex') }),
    ...(type === 'file' && item.data.length <= SHORT_FILE && { text: item.data.toString('latin1') }),
    ...(type === 'symlink' && { linkname: item.linkname }),
    ...((type === 'char' || type === 'block') && { rdev: `${item.major}:${item.minor}` }),
    xattrs: Object.fromEntries(Object.entries(item.xattrs).filter(([name]) => name !== 'security.selinux')),
    mtime: item.mtime >= madeAfter ? 'now' : item.mtime,
  };
}
