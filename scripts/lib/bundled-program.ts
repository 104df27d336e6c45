import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS } from '../../image/node-flags.ts';
import { cached } from './cache-dir.ts';
import { run } from './shell.ts';

/** The variable through which scripts/test.ts hands the path of the bundled command line to the test files. */
export const programVariable = 'ENVBUILDER_TEST_PROGRAM';

/** Commands whose compiled code lies beside a bundle, as in image/Dockerfile. */
const TRAINED = ['probe', 'build', 'workspace', 'start'];

/**
 * Makes the bundle of the command line that the runtime image and the tarball have, with its compiled code.
 * @param out a directory that is made; the bundle is `.envbuilder/app` in it
 * @param modules npm packages for another architecture than ours
 * @returns the bundle's directory
 */
export async function makeBundle(
  root: string,
  out: string,
  architecture: 'amd64' | 'arm64',
  modules: string,
): Promise<string> {
  const tool = (name: string, args: readonly string[], flags: readonly string[] = []): Promise<string> =>
    run(process.execPath, [...flags, join(root, 'image', name), ...args]);
  const app = join(out, '.envbuilder/app');
  await tool('bundle.ts', [out, architecture, modules]);
  for (const command of TRAINED) await tool('train.ts', [app, architecture, command], ['--predictable']);
  return app;
}

/**
 * The command line of a checkout as a bundle, which takes a third of the time of its sources to start. It is made once for
 * the same sources, below `node_modules`.
 * @returns the path of an executable
 */
export async function bundledProgram(root: string): Promise<string> {
  const architecture = process.arch === 'x64' ? 'amd64' : 'arm64';
  const make = async (path: string): Promise<void> => {
    mkdirSync(path);
    await makeBundle(root, path, architecture, join(root, 'node_modules'));
    // It is started by its whole path, and finds the bundle beside itself.
    const launcher = `#!/bin/sh\nexec '${process.execPath}' ${NODE_FLAGS.join(' ')} "\${0%/*}/.envbuilder/app/main.cjs" "$@"\n`;
    writeFileSync(join(path, 'envbuilder'), launcher, { mode: 0o755 });
  };
  const parent = join(root, 'node_modules/.cache/envbuilder-test');
  mkdirSync(parent, { recursive: true });
  return join(await cached('program', hashOf(root), make, parent), 'envbuilder');
}

/** Everything that a bundle is made of. */
function hashOf(root: string): string {
  const hash = createHash('sha256').update(process.execPath);
  const files = globSync(['{src,image}/**/*.{ts,js}', 'package.json', 'package-lock.json'], { cwd: root });
  for (const file of files.filter((path) => !path.endsWith('.test.ts')).sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}
