import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS } from '../../image/node-flags.ts';
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
  const parent = join(root, 'node_modules/.cache/envbuilder-test');
  const name = `program-${hashOf(root)}`;
  const program = join(parent, name, 'envbuilder');
  if (existsSync(program)) return program;
  rmSync(parent, { recursive: true, force: true });
  const partial = join(parent, `${name}.${process.pid}.partial`);
  mkdirSync(partial, { recursive: true });
  await makeBundle(root, partial, process.arch === 'x64' ? 'amd64' : 'arm64', join(root, 'node_modules'));
  const main = join(parent, name, '.envbuilder/app/main.cjs');
  const launcher = `#!/bin/sh\nexec '${process.execPath}' ${NODE_FLAGS.join(' ')} '${main}' "$@"\n`;
  writeFileSync(join(partial, 'envbuilder'), launcher, { mode: 0o755 });
  if (!existsSync(program)) renameSync(partial, join(parent, name));
  return program;
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
  return hash.digest('hex').slice(0, 12);
}
