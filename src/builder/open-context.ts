import { join } from 'node:path';
import { createAnswerMemo } from '../context/answer-memo.ts';
import { createDirectoryTree } from '../context/dir-tree.ts';
import { loadIgnore } from '../context/dockerignore.ts';
import { createHashMemo } from '../context/file-hash-memo.ts';
import type { IgnoreMatcher } from '../context/ignore-matcher.ts';
import { modeView } from '../context/mode-view.ts';
import { definitionRoots } from '../context/repository.ts';
import type { SourceTree } from '../context/types.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { createOpenPlain } from '../sys/beneath.ts';
import type { Session } from './session.ts';
import { xattrReader } from './steps/copy-step.ts';
import type { BuildRequest } from './types.ts';

/** The build context as .dockerignore leaves it; nothing is ever written into it. */
export interface OpenContext {
  readonly tree: SourceTree;
  /** Remembers the hashes of its files for the next process. */
  save(): void;
}

/** The directories that the files of a build's definition lie in. */
export function rootsOf({
  repository,
  context,
  allowOutside,
}: Pick<BuildRequest, 'repository' | 'context' | 'allowOutside'>): readonly string[] {
  return definitionRoots(repository ?? context, allowOutside);
}

/** The rules of what is left out of the main context; none count in one that was fetched, as under Docker. */
export function loadMainIgnore(request: BuildRequest): IgnoreMatcher | undefined {
  if (request.contextSource) return undefined;
  return loadIgnore(request.context, request.dockerfile, rootsOf(request));
}

/** @param deps.readOnly a probe: hashes that an earlier build wrote are used, and none are written */
export function openContext(
  request: BuildRequest,
  session: Session,
  deps: { readonly readOnly: boolean },
): OpenContext {
  const ignore = loadMainIgnore(request);
  return openDirectory({ root: request.context, name: 'the build context', ignore }, request, session, deps);
}

/** The directory of a named context as its own .dockerignore leaves it. */
export function openNamedContext(
  {
    name,
    path,
    fetched = false,
  }: { readonly name: string; readonly path: string; readonly fetched?: boolean },
  request: BuildRequest,
  session: Session,
  deps: { readonly readOnly: boolean },
): OpenContext {
  const roots = [...definitionRoots(path), ...rootsOf(request)];
  const ignore = fetched ? undefined : loadIgnore(path, undefined, roots);
  return openDirectory({ root: path, name: `the build context "${name}"`, ignore }, request, session, deps);
}

function openDirectory(
  { root, name, ignore }: { root: string; name: string; ignore: IgnoreMatcher | undefined },
  request: BuildRequest,
  session: Session,
  deps: { readonly readOnly: boolean },
): OpenContext {
  const file = hexOf(digestOf(root)).slice(0, 32);
  const memo = createHashMemo(join(request.stateDir, 'context-hashes', file));
  const answers = createAnswerMemo(join(request.stateDir, 'context-hashes', `${file}-trees`));
  const syscalls = session.syscalls();
  const modes = modeView(root, request.checkout);
  const tree = createDirectoryTree({
    root,
    name,
    memo,
    answers: { memo: answers, syscalls },
    xattrs: xattrReader(syscalls),
    openPlain: createOpenPlain(syscalls),
    sockets: true,
    room: { disk: request.workDir, syscalls },
    ...(ignore ? { ignore } : {}),
    ...(modes ? { modes } : {}),
  });
  const save = (): void => {
    memo.save();
    answers.save();
  };
  return { tree, save: deps.readOnly ? () => {} : save };
}
