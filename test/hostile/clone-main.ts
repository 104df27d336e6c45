/*
 * Clones as a start does, without a container around it: `clone-main.ts URL FOLDER`. Errors become exit codes as in the
 * command line; what is not an AppError is a defect, and looks like one.
 */
import { AppError, EXIT_CODES } from '../../src/core/error.ts';
import { prepareWorkspace } from '../../src/workspace/prepare.ts';

const [url = '', folder = ''] = process.argv.slice(2);
try {
  const workspace = await prepareWorkspace(
    {
      folder,
      clone: {
        url,
        singleBranch: false,
        credentials: { sshKnownHosts: [] },
        network: { insecure: false, proxy: {} },
        git: { file: 'git', path: process.env.PATH ?? '' },
      },
    },
    { emit: () => {}, addSecret: () => {}, signal: new AbortController().signal },
  );
  process.stdout.write(`cloned ${workspace.state}\n`);
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof AppError ? EXIT_CODES[error.code].exit : 1;
}
