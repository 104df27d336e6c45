import type { CloneRequest } from './types.ts';

/** What is checked out after a clone. */
export interface GitTarget {
  readonly type: 'default' | 'name' | 'tag' | 'commit' | 'ref';
  /** Without `refs/heads/` and `refs/tags/`. */
  readonly name: string;
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/** What a fragment names: a branch, or a tag where there is no such branch; a commit; any other reference in full. */
export function targetOf(fragment: string | undefined): GitTarget {
  if (fragment === undefined) return { type: 'default', name: '' };
  if (COMMIT.test(fragment)) return { type: 'commit', name: fragment.toLowerCase() };
  const [, kind, name = ''] = /^refs\/(heads|tags)\/(.+)$/.exec(fragment) ?? [];
  if (kind === 'heads') return { type: 'name', name };
  if (kind === 'tags') return { type: 'tag', name };
  return { type: fragment.startsWith('refs/') ? 'ref' : 'name', name: fragment };
}

/** The options of `git clone` for a target. */
export function cloneArguments(target: GitTarget, { depth, singleBranch }: CloneRequest): readonly string[] {
  const branch = target.type === 'name' || target.type === 'tag' ? [`--branch=${target.name}`] : [];
  return [
    '--no-local',
    '--no-checkout',
    ...(depth === undefined ? [] : [`--depth=${depth}`]),
    singleBranch ? '--single-branch' : '--no-single-branch',
    ...branch,
  ];
}
