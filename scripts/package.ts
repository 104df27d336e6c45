/*
 * Builds what the npm package holds, into dist/: our own code as bundled JavaScript, and its types. `npm pack` and
 * `npm publish` call it. Packages of others stay dependencies. Same sources, same bytes.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleApp } from '../image/app-bundle.ts';
import { run } from './lib/shell.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await bundleApp({
  root,
  outdir: dist,
  entries: { main: 'src/cli/main.ts', index: 'src/index.ts' },
  external: 'all',
});
copyFileSync(join(root, 'src/cli/bin.js'), join(dist, 'bin.js'));
chmodSync(join(dist, 'bin.js'), 0o755);
// The program asks here for its version.
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`);
await run(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.types.json')]);
