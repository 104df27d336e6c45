import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell.ts';

/**
 * The folder of a locked package, below `modules`: copied from node_modules where npm has installed it, else, as packages
 * for another machine are not, fetched in the locked version and checked against the lockfile.
 * @throws Error when the lockfile has no such package, or what was fetched is not what it says
 */
export async function fetchPackage(root: string, name: string, modules: string): Promise<string> {
  const folder = join(modules, name);
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) {
    cpSync(installed, folder, { recursive: true });
    return folder;
  }
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
  };
  const locked = packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${name}`);
  mkdirSync(folder, { recursive: true });
  const printed = await run('npm', [
    'pack',
    '--silent',
    '--pack-destination',
    modules,
    `${name}@${locked.version}`,
  ]);
  const tarball = join(modules, printed.trim());
  const [algorithm = '', hash] = locked.integrity.split(/-(.*)/s);
  if (createHash(algorithm).update(readFileSync(tarball)).digest('base64') !== hash)
    throw new Error(`${name} ${locked.version} is not what package-lock.json says`);
  await run('tar', ['xf', tarball, '-C', folder, '--strip-components=1']);
  rmSync(tarball);
  return folder;
}
