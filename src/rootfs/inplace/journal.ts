import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fsPath } from '../../core/path-bytes.ts';
import { removeTree } from '../../sys/remove-tree.ts';

/** What has to be put right in case we are killed before we do it ourselves. */
export interface Journal {
  /** A directory is about to be moved to `at`, and belongs to `home`. */
  moved(at: string, home: string): void;
  /** Something of ours is about to be made where only the user's things are. */
  made(path: string): void;
  /** All is put right. */
  clear(): void;
}

type Line = { readonly moved: string; readonly home: string } | { readonly made: string };

/**
 * Opens the journal in a file. What a process that was killed left in it is put right first: its directories go home, and
 * what it made goes away.
 */
export function openJournal(file: string): Journal {
  for (const line of readLines(file).toReversed()) undo(line);
  rmSync(file, { force: true });
  const note = (line: Line): void => writeFileSync(file, `${JSON.stringify(line)}\n`, { flag: 'a' });
  return {
    moved: (at, home) => note({ moved: at, home }),
    made: (path) => note({ made: path }),
    clear: () => rmSync(file, { force: true }),
  };
}

function readLines(file: string): Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  // The last line is whole or was never acted upon.
  return lines.flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Line] : []));
}

function undo(line: Line): void {
  if ('made' in line) {
    const stat = lstatSync(fsPath(line.made), { throwIfNoEntry: false });
    if (stat) removeTree(line.made, { dev: stat.dev });
    return;
  }
  const [at, home] = [fsPath(line.moved), fsPath(line.home)];
  if (existsSync(at) && !existsSync(home) && existsSync(fsPath(posix.dirname(line.home))))
    renameSync(at, home);
}
