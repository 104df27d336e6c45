import { chmodSync, createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { checkoutGit, isGitUrl, resolveGitCommit } from '../context/add-git.ts';
import { fetchUrl } from '../context/add-url.ts';
import { isArchive, unpackArchive } from '../context/archive.ts';
import { createDirectoryTree } from '../context/dir-tree.ts';
import { AppError } from '../core/error.ts';
import { hinted } from '../core/hinted.ts';
import { parseGoBool } from '../dockerfile/parse/values.ts';
import { readLayer } from '../layer/read-layer.ts';
import type { NamedContext } from '../plan/inputs.ts';
import { createBeneath } from '../sys/beneath.ts';
import { makeFreshDirectory } from '../sys/fresh-directory.ts';
import type { Session } from './session.ts';
import type { BuildRequest, ContextSource } from './types.ts';

/** What a file that is no archive is called in a context that is nothing but it. */
const ONLY_FILE = 'context';

const ARCHIVE_HINT = 'see what tar -tvf says of it, and pack it anew, or name a directory';

/**
 * Fetches the contexts that are not on this machine, into the working directory.
 * @returns the request with directories in their place; the same one where there is nothing to fetch
 * @throws AppError CONTEXT, CORRUPT; the reason of the signal
 */
export async function fetchContexts(
  request: BuildRequest,
  session: Session,
  signal: AbortSignal,
): Promise<BuildRequest> {
  const { contextSource } = request;
  const fetched = contextSource ? await fetchMain(request, contextSource, session, signal) : request;
  const contexts = new Map<string, NamedContext>();
  for (const [name, context] of fetched.contexts) {
    const remote = context.type === 'git' || context.type === 'url';
    contexts.set(name, remote ? await fetchNamed(context, session, signal) : context);
  }
  return { ...fetched, contexts };
}

async function fetchMain(
  request: BuildRequest,
  source: ContextSource,
  session: Session,
  signal: AbortSignal,
): Promise<BuildRequest> {
  const inside = (context: string): BuildRequest => ({
    ...request,
    context,
    repository: context,
    dockerfile: isAbsolute(request.dockerfile) ? request.dockerfile : join(context, request.dockerfile),
  });
  if (source.type === 'git') {
    const keep = parseGoBool(request.buildArgs.get('BUILDKIT_CONTEXT_KEEP_GIT_DIR') ?? '') ?? false;
    return inside(await checkOut(source.url, keep, session, signal));
  }
  const directory = await newDirectory(session);
  const what = source.type === 'url' ? source.url : source.name;
  if (source.type === 'url')
    await rename((await download(source.url, directory, session, signal)).file, join(directory, ONLY_FILE));
  else
    await pipeline(source.open(), createWriteStream(join(directory, ONLY_FILE), { mode: 0o600 }), { signal });
  const unpacked = await unpackIfArchive(directory, what, session);
  if (unpacked !== undefined) return inside(unpacked);
  if (source.type === 'file' && source.archive === true)
    throw new AppError('CONTEXT', `the context ${what} is neither a directory nor an archive`, {
      where: { path: what },
      hint: 'name a directory; a Dockerfile is named with --file',
    });
  // What is no archive is the Dockerfile itself, and its URL is a context that holds it.
  const text = readFileSync(join(directory, ONLY_FILE), 'utf8');
  const context = source.type === 'url' ? directory : await newDirectory(session);
  return { ...inside(context), dockerfile: join(context, ONLY_FILE), dockerfileText: text };
}

async function fetchNamed(
  context: Extract<NamedContext, { type: 'git' | 'url' }>,
  session: Session,
  signal: AbortSignal,
): Promise<NamedContext> {
  if (context.type === 'git' || isGitUrl(context.url)) {
    const path = await checkOut(context.url, false, session, signal);
    return { type: 'dir', path, fetched: true };
  }
  const directory = await newDirectory(session);
  const { file } = await download(context.url, directory, session, signal);
  await rename(file, join(directory, ONLY_FILE));
  return { type: 'dir', path: directory, fetched: true };
}

async function checkOut(url: string, keepGitDir: boolean, session: Session, signal: AbortSignal) {
  const directory = await newDirectory(session);
  const access = session.sources;
  const { commit } = await resolveGitCommit(url, access, signal);
  session.commits.set(url, commit);
  await checkoutGit(url, commit, directory, { keepGitDir, access, signal });
  return directory;
}

function download(url: string, targetDir: string, session: Session, signal: AbortSignal) {
  return fetchUrl(url, { targetDir, access: session.sources, signal });
}

async function unpackIfArchive(
  directory: string,
  what: string,
  session: Session,
): Promise<string | undefined> {
  const tree = createDirectoryTree({ root: directory, name: what });
  const node = (await tree.stat(ONLY_FILE))!;
  if (!(await isArchive(tree, node))) return undefined;
  const target = await newDirectory(session);
  const syscalls = session.syscalls();
  const into = createBeneath(syscalls)(target);
  try {
    await hinted('CORRUPT', ARCHIVE_HINT, () =>
      unpackArchive(tree.open(node), into, { readLayer, syscalls, what }),
    );
  } finally {
    into.close();
  }
  return target;
}

async function newDirectory(session: Session): Promise<string> {
  const parent = join(session.workDir(), 'contexts');
  if (mkdirSync(parent, { recursive: true }) !== undefined) session.syscalls().spreadDirectories(parent);
  const directory = makeFreshDirectory(parent, 'c-');
  chmodSync(directory, 0o755);
  return directory;
}
