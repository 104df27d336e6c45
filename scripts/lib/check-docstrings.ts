import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const EXPORTED = /^export (?:async )?(?:function\*?|class) (\w+)/;

/** The exported functions and classes of product code that have no docstring, as `file:line name`. */
export function undocumentedExports(root: string): string[] {
  const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  return files.sort().flatMap((file) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    return lines.flatMap((line, at) => {
      const name = EXPORTED.exec(line)?.[1];
      const documented = (lines[at - 1] ?? '').endsWith('*/');
      return name === undefined || documented ? [] : [`${file}:${at + 1} ${name}`];
    });
  });
}
