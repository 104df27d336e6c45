import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emit } from '../../core/events.ts';
import { makeDirectories } from '../../core/make-directories.ts';
import { type BuildRequest, loadContainer } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { RequestDeps } from '../requests/build-request.ts';
import { defineBuild } from '../requests/start-definition.ts';
import { withDefinition, workspaceBuild } from '../requests/start-request.ts';
import { workspaceRequest } from '../requests/workspace-request.ts';
import type { CommandContext } from '../run-context.ts';

/**
 * Hands on what a start would build. A repository that is not there yet is cloned to a place of its own, which is there for as
 * long as `use` goes on; a probe always does so.
 * @param onFolder told of the folder that it is read from, before it is
 * @throws AppError as a clone, a definition and `use` do
 */
export async function withWorkspaceBuild<T>(
  parsed: Parsed,
  context: CommandContext & Pick<RequestDeps, 'runtime'>,
  emit: Emit,
  use: (request: BuildRequest) => Promise<T>,
  onFolder: (folder: string) => void = () => {},
): Promise<T> {
  const { options, command } = parsed;
  const { signal, redactor } = context;
  const { folder: workspace, clone } = workspaceRequest(parsed, context);
  const request = workspaceBuild(parsed, workspace, context);
  const { workDir, stateDir, allowOutside = [] } = request;
  const reads = command === 'probe' || command === 'explain';
  const elsewhere = reads || options['remote-repo-build-mode'] || !existsSync(join(workspace, '.git'));
  // Probes of one machine may go on at the same time; in a container there is one, which removes what an earlier one left.
  const own = reads ? temporaryDirectory() : undefined;
  try {
    const { cloneForBuild } = await loadContainer();
    const made =
      clone && elsewhere
        ? await cloneForBuild(clone, own ?? workDir, { emit, signal, addSecret: redactor.add })
        : undefined;
    try {
      const folder = made?.folder ?? workspace;
      onFolder(folder);
      const deps = { ...context, workspace, stateDir, allowOutside, emit };
      return await use(withDefinition(request, await defineBuild(parsed, folder, deps)));
    } finally {
      made?.close();
    }
  } finally {
    if (own !== undefined) (await loadContainer()).removeTree(own);
  }
}

function temporaryDirectory(): string {
  makeDirectories(tmpdir());
  return mkdtempSync(join(tmpdir(), 'envbuilder-probe-'));
}
