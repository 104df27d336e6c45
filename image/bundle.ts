/*
 * Bundles our own code into OUT/.envbuilder/app, with the scripts of threads and processes as files of their own, and
 * writes the program that starts it.
 * Usage: bundle.ts OUT ARCH MODULES, where MODULES holds koffi's native part for another ARCH (amd64, arm64) than ours
 */
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleApp, bundleProgram } from './app-bundle.ts';
import { nodeArch, packageFolder } from './modules.ts';
import { NODE_FLAGS } from './node-flags.ts';
import { OWN } from './relocate.ts';
import { settle } from './settle.ts';

const root = join(import.meta.dirname, '..');
const [out = '', debianArch = '', modules = ''] = process.argv.slice(2);
const arch = nodeArch(debianArch);
const app = join(out, OWN, 'app');
const native = `@koromix/koffi-linux-${arch}`;

/**
 * A package.json of the root file system can make a module of it, in which there is no require. The import takes longer.
 * Node would take these from the environment, where they are meant for the commands that users run; src/cli/hidden.ts
 * puts them back.
 */
const LAUNCHER = `#!${OWN}/bin/env -S -u NODE_OPTIONS -u LD_PRELOAD ENVBUILDER_HIDDEN_NODE_OPTIONS=\${NODE_OPTIONS} ENVBUILDER_HIDDEN_LD_PRELOAD=\${LD_PRELOAD} ${OWN}/bin/node ${NODE_FLAGS.join(' ')}
typeof require === 'function' ? require('../app/main.cjs') : import('../app/main.cjs');
`;
/** The kernel reads no more of a first line. */
const MAX_FIRST_LINE = 255;
/** koffi finds its native part beside its own files, so it stays as it is. */
const KOFFI = [
  'koffi/package.json',
  ...['index', 'src/koffi/index', 'src/koffi/src/static'].flatMap((file) => [
    `koffi/${file}.js`,
    `koffi/${file}.cjs`,
  ]),
  'koffi/LICENSE.txt',
  `${native}/package.json`,
  `${native}/index.js`,
  `${native}/linux_${arch}/koffi.node`,
];

if (LAUNCHER.indexOf('\n') > MAX_FIRST_LINE) throw new Error('the first line of the launcher is too long');
const external = ['koffi'];
const bundles = [
  await bundleApp({ root, outdir: app, external }),
  await bundleProgram({ root, outdir: app, external }),
];
for (const file of KOFFI) {
  const [from, below] = file.startsWith(native)
    ? [native, file.slice(native.length)]
    : ['koffi', file.slice(5)];
  mkdirSync(dirname(join(app, 'node_modules', file)), { recursive: true });
  cpSync(join(packageFolder(from, modules), below), join(app, 'node_modules', file));
}
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  string,
  string
>;
writeFileSync(join(app, 'package.json'), `${JSON.stringify({ name, version, type: 'module' })}\n`);
writeFileSync(join(app, 'LICENSES'), licenses(bundles.flatMap(({ inputs }) => Object.keys(inputs))));
mkdirSync(join(out, OWN, 'bin'), { recursive: true });
writeFileSync(join(out, OWN, 'bin/envbuilder'), LAUNCHER, { mode: 0o755 });
settle(out);

/** The licences of every package of which something is in the bundle. */
function licenses(inputs: readonly string[]): string {
  const packages = new Set(inputs.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]));
  const texts = [...packages].sort().flatMap((name) => {
    if (name === undefined) return [];
    const [file] = globSync('{LICENSE,License,license,LICENCE}*', {
      cwd: join(root, 'node_modules', name),
    }).sort();
    return file ? [`== ${name}\n\n${readFileSync(join(root, 'node_modules', name, file), 'utf8')}`] : [];
  });
  return [readFileSync(join(root, 'LICENSE'), 'utf8'), ...texts].join('\n');
}
