import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { bundleApp } from '../../image/app-bundle.ts';
import { NODE_FLAGS } from '../../image/node-flags.ts';
import { projectRoot } from '../support/envbuilder.ts';

/** Bundles the command line of this checkout, as the runtime image has it, into a directory that the caller removes. */
export async function bundleProgram(): Promise<{
  readonly dir: string;
  readonly program: readonly string[];
}> {
  // Below the checkout, for koffi is not in the bundle and is found beside it.
  const dir = mkdtempSync(join(projectRoot, 'node_modules/.hostile-'));
  await bundleApp({
    root: projectRoot,
    outdir: dir,
    entries: { main: 'src/cli/main.ts' },
    external: ['koffi'],
  });
  return { dir, program: [process.execPath, ...NODE_FLAGS, join(dir, 'main.js')] };
}
