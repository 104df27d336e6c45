import type { Metafile } from 'esbuild';
import { build } from 'esbuild';
import { ENTRY_POINTS } from '../src/core/own-files.ts';

export interface BundleOptions {
  /** Root of the checkout. */
  readonly root: string;
  readonly outdir: string;
  /** Further entry points besides the program and the scripts of its threads and processes: file by name. */
  readonly entries?: Readonly<Record<string, string>>;
  /** Packages that stay imports; `all` for those of node_modules altogether. */
  readonly external: readonly string[] | 'all';
}

/** Bundles our own code, with the scripts of threads and processes as files of their own. Same sources, same bytes. */
export async function bundleApp({ root, outdir, entries, external }: BundleOptions): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/main.ts', ...entries, ...ENTRY_POINTS },
    outdir,
    bundle: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'node26',
    ...(external === 'all' ? { packages: 'external' } : { external: [...external] }),
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    chunkNames: 'chunk-[hash]',
    // CommonJS packages call require, which a module does not have.
    banner:
      external === 'all'
        ? {}
        : {
            js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
          },
    logLevel: 'warning',
  });
  return metafile;
}
