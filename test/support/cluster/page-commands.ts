import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../envbuilder.ts';

/** Commands that a page of the documentation shows. */
export interface PageCommands {
  readonly script: string;
  /** `docs/page.md:12`, where they begin. */
  readonly at: string;
  /** Why nobody runs them, in the words of the page. */
  readonly notRun?: string;
  /** What has to be there for them, by a name that the test knows. */
  readonly needs?: string;
  /** They come before all others of their page, which says so. */
  readonly first: boolean;
}

/**
 * The blocks of commands of a page, in the order in which they are to be run. A comment before a block says what a test has
 * to know: `not run: REASON`, `needs: NAME`, or `first`.
 * @throws Error for a comment that means nothing, or a reason that is none
 */
export function pageCommands(page: string): readonly PageCommands[] {
  const text = readFileSync(join(projectRoot, page), 'utf8');
  const found: PageCommands[] = [];
  for (const match of text.matchAll(
    /(?:^<!-- ([^\n]*) -->\n\n)?^```(?:sh|bash|shell|console)\n(.*?)^```$/gms,
  )) {
    const [, mark, script = ''] = match;
    const at = `${page}:${text.slice(0, match.index).split('\n').length}`;
    const [, word, value = ''] = /^(not run|needs|first)(?:: (.+))?$/.exec(mark ?? '') ?? [];
    if (mark !== undefined && word === undefined) throw new Error(`${at}: a test does not know "${mark}"`);
    if (word === 'not run' && !/\w+ \w+/.test(value)) throw new Error(`${at}: no reason is given`);
    found.push({
      script,
      at,
      first: word === 'first',
      ...(word === 'not run' ? { notRun: value } : {}),
      ...(word === 'needs' ? { needs: value } : {}),
    });
  }
  return found.toSorted((a, b) => Number(b.first) - Number(a.first));
}
