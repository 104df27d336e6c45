import { join } from 'node:path';
import { createDirectoryTree } from '../context/dir-tree.ts';
import { loadIgnore } from '../context/dockerignore.ts';
import { createHashMemo } from '../context/file-hash-memo.ts';
import type { SourceTree } from '../context/types.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { xattrReader } from './copy-step.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';

/** The build context as .dockerignore leaves it; nothing is ever written into it. */
export interface OpenContext {
  readonly tree: SourceTree;
  /** Remembers the hashes of its files for the next process. */
  save(): void;
}

/** @param deps.readOnly a probe: hashes that an earlier build wrote are used, and none are written */
export function openContext(
  request: BuildRequest,
  session: Session,
  deps: { readonly readOnly: boolean },
): OpenContext {
  const ignore = loadIgnore(request.context, request.dockerfile);
  const name = hexOf(digestOf(request.context)).slice(0, 32);
  const memo = createHashMemo(join(request.stateDir, 'context-hashes', name));
  const tree = createDirectoryTree({
    root: request.context,
    name: 'the build context',
    memo,
    xattrs: xattrReader(session.syscalls()),
    ...(ignore ? { ignore } : {}),
  });
  return { tree, save: deps.readOnly ? () => {} : memo.save };
}
