import { posix } from 'node:path';
import { AppError, type Where } from '../core/error.ts';
import { nearest } from '../core/suggest.ts';
import { joinItems, placeNode, placeNodes } from './copy-items.ts';
import { goMatch, hasWildcards } from './go-match.ts';
import { createMatcher, type IgnoreMatcher } from './ignore-matcher.ts';
import type { CopyItem, CopyItems, SourceTree, TreeNode } from './types.ts';

export interface CopyRequest {
  /** As written, expanded; relative to the tree's root, whatever slashes they start with. */
  readonly sources: readonly string[];
  /** Patterns as in .dockerignore, relative to each source. */
  readonly excludes: readonly string[];
  readonly parents: boolean;
  /** The instruction, for errors. */
  readonly where: Where;
}

const MOST_LINKS = 40;

/**
 * The files that COPY or ADD names (Dockerfile reference, "COPY"): a directory gives its contents, with one item for
 * itself at ''; a file or a matched file gives one item under its own name; a symlink that is named is followed inside
 * the tree, links within directories are kept, and with --parents all are. A wildcard that matches nothing gives nothing.
 * @throws AppError CONTEXT when a named source does not exist, when the directory of a wildcard does not exist, or one
 * matches a symlink that leads nowhere
 */
export async function resolveCopy(tree: SourceTree, request: CopyRequest): Promise<CopyItems> {
  const excludes = request.excludes.length > 0 ? createMatcher(request.excludes, '--exclude') : undefined;
  const found: CopyItems[] = [];
  let count = 0;
  for (const source of request.sources) {
    const { path, pivot } = splitPivot(source, request.parents);
    const nodes = hasWildcards(path)
      ? await matching(tree, path, request)
      : [await named(tree, path, source, request)];
    for (const { node, name } of nodes) {
      const target = request.parents ? name.split('/').slice(pivot).join('/') : name;
      const { parents } = request;
      found.push(...(await below(tree, node, { name: target, source: count, parents, excludes })));
      count += 1;
    }
  }
  return joinItems(found);
}

/** The paths on which alone, with all below them, a list of resolveCopy depends while none leads over a symlink. */
export function copiedPaths({
  sources,
  parents,
}: Pick<CopyRequest, 'sources' | 'parents'>): readonly string[] | undefined {
  // Of the directories above, --parents takes the modes; a wildcard may match anything.
  if (parents || sources.some((source) => hasWildcards(source))) return undefined;
  return sources.map((source) => clean(source));
}

interface Named {
  readonly node: TreeNode;
  /** The path by which it was named, which may be that of a symlink to it. */
  readonly name: string;
}

/**
 * With --parents, what stands before `/./` is not part of the target (Dockerfile reference, "COPY --parents"); a wildcard
 * there matches one name.
 * @returns the whole path, and how many names stand before
 */
function splitPivot(source: string, parents: boolean): { path: string; pivot: number } {
  const at = parents ? source.indexOf('/./') : -1;
  if (at === -1) return { path: clean(source), pivot: 0 };
  const before = clean(source.slice(0, at)).replace(/\*{2,}/g, '*');
  const behind = clean(source.slice(at + 2));
  return {
    path: [before, behind].filter((part) => part !== '').join('/'),
    pivot: before === '' ? 0 : before.split('/').length,
  };
}

function clean(path: string): string {
  return posix.normalize(`/${path}`).replace(/^\/+|\/+$/g, '');
}

async function named(
  tree: SourceTree,
  path: string,
  source: string,
  { parents, where }: Pick<CopyRequest, 'parents' | 'where'>,
): Promise<Named> {
  const node = await (parents ? tree.stat(path) : follow(tree, path));
  if (node) return { node, name: path };
  throw new AppError('CONTEXT', `"${source}" is not in ${tree.name}`, {
    where,
    hint: await hintFor(tree, path),
  });
}

/** What a path of a tree leads to, links in its last place followed inside the tree too; undefined where nothing is. */
export async function follow(tree: SourceTree, path: string): Promise<TreeNode | undefined> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links += 1) {
    const node = await tree.stat(at);
    if (node?.type !== 'symlink') return node;
    at = clean(
      node.linkname.startsWith('/') ? node.linkname : `${posix.dirname(node.path)}/${node.linkname}`,
    );
  }
  return undefined;
}

/** What a pattern matches, sorted; `**` reaches any depth only with --parents (Dockerfile reference, "COPY --parents"). */
async function matching(
  tree: SourceTree,
  pattern: string,
  { parents, where }: Pick<CopyRequest, 'parents' | 'where'>,
): Promise<Named[]> {
  const parts = pattern.split('/');
  const fixed = parts
    .slice(
      0,
      parts.findIndex((part) => hasWildcards(part)),
    )
    .join('/');
  const start = await follow(tree, fixed);
  if (!start) {
    if (parents) return [];
    throw new AppError('CONTEXT', `"${fixed}" is not in ${tree.name}`, {
      where,
      hint: await hintFor(tree, fixed),
    });
  }
  const deep = parents && pattern.includes('**');
  const ignore = deep ? createMatcher([pattern], 'the source') : undefined;
  const found: Named[] = [];
  for (const candidate of await tree.list(start.path)) {
    if (candidate.path === start.path) continue;
    const name = start.path === fixed ? candidate.path : `${fixed}${candidate.path.slice(start.path.length)}`;
    const matches = ignore
      ? ignore.matches(name) && candidate.type !== 'dir'
      : name.split('/').length === parts.length && goMatch(pattern, name);
    if (!matches) continue;
    const link = candidate.type === 'symlink' && !parents;
    const node = link ? await follow(tree, candidate.path) : candidate;
    if (!node) {
      throw new AppError('CONTEXT', `the symlink "${name}" leads to nothing in ${tree.name}`, {
        where,
        hint: 'name what is to be copied without it, or leave it out in .dockerignore',
      });
    }
    found.push({ node, name });
  }
  return found;
}

/** What is made of something that was named. */
interface Below {
  readonly name: string;
  readonly source: number;
  readonly parents: boolean;
  readonly excludes: IgnoreMatcher | undefined;
}

async function below(
  tree: SourceTree,
  node: TreeNode,
  { name, source, parents, excludes }: Below,
): Promise<CopyItems[]> {
  const above = parents ? await parentItems(tree, name, node, source) : [];
  if (node.type !== 'dir') {
    const target = parents ? name : posix.basename(name);
    return excludes?.matches(target) ? [] : [[...above, placeNode(node, target, source)]];
  }
  const nodes = await tree.list(node.path);
  const prefix = node.path === '' ? 0 : node.path.length + 1;
  const inside = (path: string): string => (path === node.path ? '' : path.slice(prefix));
  const target = parents
    ? (path: string): string => posix.join(name, inside(path)).replace(/^\.$/, '')
    : inside;
  const keeps = excludes && ((path: string, { type }: TreeNode) => isKept(path, type, excludes));
  return [above, placeNodes(nodes, { source, target, ...(keeps ? { keeps } : {}) })];
}

function isKept(target: string, type: TreeNode['type'], excludes: IgnoreMatcher): boolean {
  if (target === '' || !excludes.matches(target)) return true;
  return type === 'dir' && excludes.mayHold(target);
}

/** The directories above a path, so that --parents gives them their own modes. */
async function parentItems(
  tree: SourceTree,
  name: string,
  node: TreeNode,
  source: number,
): Promise<CopyItem[]> {
  const parts = name.split('/').slice(0, -1);
  const depth = node.path.split('/').length;
  const items: CopyItem[] = [];
  for (const [i] of parts.entries()) {
    const target = parts.slice(0, i + 1).join('/');
    const path = node.path
      .split('/')
      .slice(0, depth - parts.length + i)
      .join('/');
    const parent = await tree.stat(path);
    if (parent?.type === 'dir') items.push(placeNode(parent, target, source));
  }
  return items;
}

async function hintFor(tree: SourceTree, path: string): Promise<string> {
  const dir = posix.dirname(path) === '.' ? '' : posix.dirname(path);
  const parent = await follow(tree, dir);
  if (!parent) return `the directory "${dir}" is not there either; check the path and .dockerignore`;
  const prefix = parent.path === '' ? 0 : parent.path.length + 1;
  const names: string[] = [];
  for (const node of await tree.list(parent.path)) {
    const name = node.path.slice(prefix);
    if (name !== '' && !name.includes('/')) names.push(name);
  }
  const match = nearest(posix.basename(path), names);
  return match === undefined
    ? 'check the path, and whether .dockerignore leaves it out'
    : `did you mean ${posix.join(dir, match)}?`;
}
