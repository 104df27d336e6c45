import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALLOWED_PATHS, type AllowedPaths } from './allowed-paths.ts';

/** The folders of src that handle trees which somebody else has filled, or write beside them. */
const GUARDED = [
  'builder',
  'cache',
  'context',
  'devcontainer',
  'layer',
  'oci',
  'plan',
  'registry',
  'rootfs',
  'tar',
  'warm',
  'workspace',
] as const;

/** What node:fs has that takes a descriptor, or nothing of the file system. */
const BY_DESCRIPTOR = new Set([
  ...['close', 'closeSync', 'constants', 'fchmodSync', 'fchownSync', 'fdatasync', 'fstatSync', 'fsyncSync'],
  ...['ftruncateSync', 'futimesSync', 'read', 'readSync', 'readvSync', 'write', 'writeSync', 'writevSync'],
]);

/**
 * Where code of a guarded folder hands paths to node:fs itself, instead of going through sys/beneath.ts, sys/plain.ts,
 * sys/entry.ts or sys/regular-file.ts, and is not in the list; and what is in the list for nothing. One line each.
 */
export function pathProblems(root: string, allowed: AllowedPaths = ALLOWED_PATHS): string[] {
  const files = globSync(`src/{${GUARDED.join()}}/**/*.ts`, { cwd: root }).filter(isProduct).sort();
  const problems: string[] = [];
  const used = new Map<string, readonly string[]>();
  for (const file of files) {
    const names = pathCalls(readFileSync(join(root, file), 'utf8'));
    if (names.length > 0) used.set(file, names);
  }
  for (const [file, names] of used) {
    const listed = allowed[file]?.calls ?? [];
    for (const name of names)
      if (!listed.includes(name))
        problems.push(`${file} hands a path to ${name} of node:fs; see scripts/lib/allowed-paths.ts`);
  }
  for (const file of globSync('src/**/*.ts', { cwd: root }).filter(isProduct).sort())
    if (removesTrees(readFileSync(join(root, file), 'utf8')))
      problems.push(
        `${file} removes a tree with node:fs, which cannot remove deep ones; see sys/remove-tree.ts`,
      );
  for (const [file, { calls, reason }] of Object.entries(allowed)) {
    for (const name of calls)
      if (!used.get(file)?.includes(name))
        problems.push(`${file} is allowed ${name}, which it does not call`);
    if (reason.length < 20) problems.push(`${file} is allowed something without a reason`);
  }
  return problems;
}

function isProduct(file: string): boolean {
  return !/(^|\/)testing(\/|\.ts$)|\.test\.ts$/.test(file);
}

/** Whether a text removes directories with all in them by node:fs. */
function removesTrees(text: string): boolean {
  return /\brm(?:Sync)?\([^;]*\brecursive: true/.test(text);
}

/** The functions of node:fs that a text imports or names, but for types and those that take no path. */
export function pathCalls(text: string): string[] {
  const found = new Set<string>();
  const imports = text.matchAll(/^import\s+([^;]*?)\s+from\s+'(?:node:)?fs(?:\/promises)?';/gm);
  for (const [, clause = ''] of imports) {
    if (clause.startsWith('type ')) continue;
    const named = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
    for (const each of named.split(',')) {
      const name = each.trim().split(/\s+as\s+/)[0]!;
      if (name !== '' && !name.startsWith('type ')) found.add(name);
    }
    const whole = /(?:\*\s+as\s+)?(\w+)/.exec(clause.replace(/\{[^}]*\}/, ''))?.[1];
    if (whole !== undefined)
      for (const [, name] of text.matchAll(new RegExp(`\\b${whole}\\.(\\w+)`, 'g'))) found.add(name!);
  }
  // What is loaded later, or by another way, is not looked into.
  if (/(?:import|require)\(\s*'(?:node:)?fs(?:\/promises)?'/.test(text)) found.add('import()');
  return [...found].filter((name) => !BY_DESCRIPTOR.has(name) && !/^[A-Z]/.test(name)).sort();
}
