import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { ENTRY_POINTS } from '../src/core/own-files.ts';
import { PROGRAM_FOOT, PROGRAM_HEAD, PROGRAM_URL } from './program.ts';

export interface BundleOptions {
  /** Root of the checkout. */
  readonly root: string;
  readonly outdir: string;
  /** Further entry points besides the scripts of threads and processes: file by name. */
  readonly entries?: Readonly<Record<string, string>>;
  /** Packages that stay imports; `all` for those of node_modules altogether. */
  readonly external: readonly string[] | 'all';
}

const COMMON: BuildOptions = {
  bundle: true,
  metafile: true,
  // The image is made without our tsconfig.json, and its script is that of the tarball.
  tsconfigRaw: {},
  platform: 'node',
  mainFields: ['module', 'main'],
  target: 'node26',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** Bundles our own code, with the scripts of threads and processes as files of their own. Same sources, same bytes. */
export async function bundleApp({ root, outdir, entries, external }: BundleOptions): Promise<Metafile> {
  const { metafile } = await build({
    ...COMMON,
    absWorkingDir: root,
    entryPoints: { ...entries, ...ENTRY_POINTS },
    outdir,
    splitting: true,
    format: 'esm',
    ...(external === 'all' ? { packages: 'external' } : { external: [...external] }),
    chunkNames: 'chunk-[hash]',
    // CommonJS packages call require, which a module does not have.
    banner:
      external === 'all'
        ? {}
        : {
            js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
          },
  });
  return metafile!;
}

/**
 * Bundles the command line as one script, which is compiled without linking modules and can have its compiled code beside it,
 * and what starts it as `main.cjs`. The script's name tells its content. Same sources, same bytes.
 */
export async function bundleProgram({
  root,
  outdir,
  external,
}: Pick<BundleOptions, 'root' | 'outdir'> & { readonly external: readonly string[] }): Promise<Metafile> {
  const script: BuildOptions = {
    ...COMMON,
    absWorkingDir: root,
    outdir,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    // A script that is not a module has no import() of its own.
    supported: { 'dynamic-import': false },
  };
  const { metafile } = await build({
    ...script,
    entryPoints: { program: 'src/cli/main.ts' },
    entryNames: '[name]-[hash]',
    external: [...external],
    define: { 'import.meta.url': PROGRAM_URL },
    banner: { js: PROGRAM_HEAD },
    footer: { js: PROGRAM_FOOT },
  });
  const [path = ''] = Object.keys(metafile!.outputs);
  const name = basename(path);
  // It is read as one byte a character. What the bundler does not escape are regular expressions.
  if (readFileSync(join(outdir, name)).some((byte) => byte > 0x7f)) throw new Error(`${name} is not ASCII`);
  await build({
    ...script,
    entryPoints: { main: 'image/launch.ts' },
    define: { PROGRAM: JSON.stringify(name) },
  });
  return metafile!;
}
