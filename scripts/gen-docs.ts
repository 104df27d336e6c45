/* `npm run docs`: writes the pages of docs/reference from the code. `--check` writes nothing and names the stale ones. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { referencePages, stalePages } from './lib/reference-pages.ts';

const root = join(import.meta.dirname, '..');
const stale = stalePages(root);
if (process.argv.includes('--check')) {
  for (const path of stale) process.stdout.write(`${path} is stale; npm run docs writes it anew\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  const pages = referencePages();
  for (const path of stale) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, pages.get(path)!);
    process.stdout.write(`wrote ${path}\n`);
  }
}
