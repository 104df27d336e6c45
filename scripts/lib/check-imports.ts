import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folders of src in import order: each imports only from itself and from those before it. */
const FOLDER_ORDER = [
  'core',
  'sys',
  'dockerfile',
  'tar',
  'oci',
  'layer',
  'rootfs',
  'sbom',
  'context',
  'plan',
  'cache',
  'builder',
  'devcontainer',
  'workspace',
  'start',
  'up',
  'registry',
  'inventory',
  'warm',
  'kubernetes',
  'report',
  'library',
  'index.ts',
  'cli',
] as const;

/** What the command line may use: the library's face, and what that stands on in common with it. */
const CLI_MAY_USE = ['cli', 'index.ts', 'core', 'report'];

/** No business of a library: how our own process ends, which is loaded before anything else, and files that options name. */
const CLI_MAY_USE_TOO = ['src/sys/end-on-signals.ts', 'src/sys/end-now.ts', 'src/sys/regular-file.ts'];

/** What stands beside src, in the same order: tests may use the scripts, and nothing uses tests. */
const TOP_ORDER = ['src', 'image', 'scripts', 'bench', 'test'] as const;

/** Imports, of types too, that go against the order of the folders, or run in a circle; one line each. */
export function importProblems(root: string): string[] {
  const problems: string[] = [];
  const graph = new Map<string, string[]>();
  for (const file of globSync(`{${TOP_ORDER.join()}}/**/*.{ts,js}`, { cwd: root })) {
    const targets: string[] = [];
    for (const path of importsOf(readFileSync(join(root, file), 'utf8'))) {
      const target = join(dirname(file), path);
      const [from, to] = [rank(file), rank(target)];
      if (from < to) problems.push(`${file} imports ${target}, which comes after it`);
      const [, folder = ''] = target.split('/');
      if (isCommandLine(file) && !CLI_MAY_USE.includes(folder) && !CLI_MAY_USE_TOO.includes(target))
        problems.push(`${file} imports ${target}; the command line uses src/index.ts`);
      if (from === -1 || to === -1) problems.push(`${file} or ${target} is in no known folder`);
      targets.push(target);
    }
    graph.set(file, targets);
  }
  return [...problems, ...cycles(graph)];
}

function isCommandLine(file: string): boolean {
  return file.startsWith('src/cli/') && !file.endsWith('.test.ts');
}

/** The folders of src come one after the other, before all else. */
function rank(file: string): number {
  const [top, folder = ''] = file.replace(/\.test\.ts$/, '.ts').split('/');
  if (top === 'src') return FOLDER_ORDER.indexOf(folder as (typeof FOLDER_ORDER)[number]);
  return FOLDER_ORDER.length + TOP_ORDER.indexOf(top as (typeof TOP_ORDER)[number]);
}

function importsOf(text: string): string[] {
  const pattern = /^(?:import|export)\s+[^;'"]*?\sfrom\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;
  return [...text.matchAll(pattern)].map(([, path, later]) => (path ?? later)!);
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at !== -1) {
      found.push(`imports in a circle: ${[...path.slice(at), file].join(' → ')}`);
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
