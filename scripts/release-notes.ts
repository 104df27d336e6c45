/* `npm run release-notes -- VERSION`: prints what CHANGELOG.md says of a version. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [version = ''] = process.argv.slice(2);
const text = readFileSync(join(import.meta.dirname, '../CHANGELOG.md'), 'utf8');
const part = text.split(/^## /m).find((each) => each.split('\n', 1)[0]!.split(' ')[0] === version);
if (part === undefined || version === '') {
  process.stderr.write(`CHANGELOG.md says nothing of ${version || 'a version that is not named'}\n`);
  process.exitCode = 1;
} else process.stdout.write(`${part.slice(part.indexOf('\n')).trim()}\n`);
