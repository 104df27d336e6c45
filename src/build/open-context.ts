import { join } from 'node:path';
import { createDirectoryTree } from '../context/dir-tree.ts';
import { loadIgnore } from '../context/dockerignore.ts';
import { createHashMemo } from '../context/file-hash-memo.ts';
import type { SourceTree } from '../context/types.ts';
import { xattrReader } from './copy-step.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';

/**
 * The build context as .dockerignore leaves it. Nothing is ever written into it.
 * @param deps.readOnly a probe: hashes are remembered only in memory
 */
export function openContext(
  request: BuildRequest,
  session: Session,
  deps: { readonly readOnly: boolean },
): SourceTree {
  const ignore = loadIgnore(request.context, request.dockerfile);
  const memo = createHashMemo(deps.readOnly ? undefined : join(request.stateDir, 'context-hashes'));
  return createDirectoryTree({
    root: request.context,
    name: 'the build context',
    memo,
    xattrs: xattrReader(session.syscalls()),
    ...(ignore ? { ignore } : {}),
  });
}
