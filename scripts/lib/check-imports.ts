import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** The folders of src in import order: each imports only from itself and from those before it. */
const FOLDER_ORDER = [
  'core',
  'sys',
  'dockerfile',
  'tar',
  'oci',
  'layer',
  'rootfs',
  'context',
  'plan',
  'cache',
  'builder',
  'devcontainer',
  'workspace',
  'start',
  'registry',
  'warm',
  'kubernetes',
  'report',
  'cli',
] as const;

/** Imports below `src`, of types too, that go against the order, or run in a circle; one line each. */
export function importProblems(src: string): string[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(ts|js)$/.test(name),
  );
  const problems: string[] = [];
  const graph = new Map<string, string[]>();
  for (const file of files) {
    const targets: string[] = [];
    for (const path of importsOf(readFileSync(join(src, file), 'utf8'))) {
      const target = relative(src, join(src, dirname(file), path));
      const [from, to] = [folderRank(file), folderRank(target)];
      if (from < to) problems.push(`src/${file} imports src/${target}, which comes after it`);
      if (from === -1 || to === -1) problems.push(`src/${file} or src/${target} is in no known folder`);
      targets.push(target);
    }
    graph.set(file, targets);
  }
  return [...problems, ...cycles(graph)];
}

function folderRank(file: string): number {
  return FOLDER_ORDER.indexOf(file.split('/')[0] as (typeof FOLDER_ORDER)[number]);
}

function importsOf(text: string): string[] {
  const pattern = /^(?:import|export)\s+[^;'"]*?\sfrom\s+'(\.[^']+)'/gm;
  return [...text.matchAll(pattern)].map(([, path]) => path!);
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
