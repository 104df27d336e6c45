import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A promise names its test as a link to the file and the name of the test in it: `[file](../file): "name"`. */
const NAMED = /\[[^\]]*\]\(([^()\s]+\.test\.ts)\): "([^"]+)"/g;

/** Tests that a page names and that are not there, one line each; and the page itself, when it names none at all. */
export function brokenPromises(root: string, page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const named = [...text.matchAll(NAMED)];
  if (named.length === 0) return [`${page} names no test`];
  return named.flatMap(([, path = '', name = '']) => {
    const file = join(root, dirname(page), path);
    if (!existsSync(file)) return [`${page}: there is no ${path} for "${name}"`];
    return titles(readFileSync(file, 'utf8')).some((title) => title.test(name))
      ? []
      : [`${page}: ${path} has no test "${name}"`];
  });
}

/** The names of a file's tests as patterns: what a template fills in can be anything. */
function titles(source: string): readonly RegExp[] {
  const found = source.matchAll(/\b(?:test|it|t\.test)\(\s*(['`])((?:\\.|(?!\1)[\s\S])*)\1/g);
  return [...found].map(([, quote, title = '']) => {
    const parts = quote === '`' ? title.split(/\$\{[^}]*\}/) : [title];
    const literal = (part: string): string =>
      part.replace(/\\(.)/g, '$1').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${parts.map(literal).join('.*')}$`);
  });
}
