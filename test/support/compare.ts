import { isDeepStrictEqual } from 'node:util';
import type { ImageDescription, Tree, TreeEntry } from './tree.ts';

export interface CompareOptions {
  /** Whether times of files and symlinks count; those of directories never do. Default true. */
  readonly mtime?: boolean;
  /** Absolute paths left out; one ending in `/` leaves out everything below it. */
  readonly ignore?: readonly string[];
  /** Whether the configuration counts. Default true. */
  readonly config?: boolean;
  /** Whether the lines of the history count. Default false. */
  readonly history?: boolean;
}

const fields = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'sha256',
  'linkname',
  'rdev',
  'xattrs',
  'names',
  'mtime',
] as const;
const mostLines = 60;

/** Differences between two trees as lines for people; `left` is what is right. */
function compareTrees(left: Tree, right: Tree, options: CompareOptions = {}): string[] {
  const lines: string[] = [];
  const ignored = (path: string) =>
    path === '/' ||
    (options.ignore ?? []).some((rule) => path === rule || (rule.endsWith('/') && path.startsWith(rule)));
  for (const path of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()) {
    if (ignored(path)) continue;
    const [expected, actual] = [left[path], right[path]];
    if (actual === undefined) lines.push(`missing  ${show(path)} (${brief(expected)})`);
    else if (expected === undefined) lines.push(`extra    ${show(path)} (${brief(actual)})`);
    else {
      const parts = fields
        .filter((field) => !(field === 'mtime' && (expected.type === 'dir' || options.mtime === false)))
        .filter((field) => !isDeepStrictEqual(expected[field], actual[field]))
        .map((field) => `${field} ${value(field, actual)} instead of ${value(field, expected)}`);
      if (parts.length > 0) lines.push(`differs  ${show(path)}: ${parts.join(', ')}`);
    }
  }
  return lines;
}

/** Differences between two images: files, configuration, history. */
export function compareImages(
  left: ImageDescription,
  right: ImageDescription,
  options: CompareOptions = {},
): string[] {
  const lines = compareTrees(left.tree, right.tree, options);
  if (options.config !== false) {
    for (const name of [...new Set([...Object.keys(left.config), ...Object.keys(right.config)])].sort()) {
      const [expected, actual] = [left.config[name], right.config[name]];
      if (!isDeepStrictEqual(expected, actual)) {
        lines.push(`config   ${name}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
      }
    }
  }
  if (options.history === true) {
    const text = (image: ImageDescription) =>
      image.history.map(
        (line) => `    ${line.empty ? '-' : '+'} ${line.createdBy.replace(/ # buildkit$/, '')}`,
      );
    if (!isDeepStrictEqual(text(left), text(right)))
      lines.push('history  is', ...text(right), '  instead of', ...text(left));
  }
  return [...lines, ...right.problems.map((problem) => `problem  ${problem}`)];
}

/** The lines as one text, cut where nobody would read on. */
export function report(lines: readonly string[]): string {
  const shown = lines.slice(0, mostLines).map((line) => `  ${line}`);
  if (lines.length > mostLines) shown.push(`  … and ${lines.length - mostLines} more`);
  return shown.join('\n');
}

function value(field: (typeof fields)[number], entry: TreeEntry): string {
  if (field === 'mode') return `0${entry.mode.toString(8)}`;
  if (field === 'sha256')
    return entry.text === undefined ? (entry.sha256?.slice(0, 12) ?? 'none') : JSON.stringify(entry.text);
  return JSON.stringify(entry[field]) ?? 'none';
}

function brief(entry: TreeEntry | undefined): string {
  if (entry === undefined) return '';
  const more = entry.linkname === undefined ? `${entry.size} bytes` : `-> ${entry.linkname}`;
  return `${entry.type} 0${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${more}`;
}

function show(path: string): string {
  return path.replace(/[^ -~]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
