import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** An architecture as Node calls it, from what Debian and OCI call it. @throws Error for one that no image is made for */
export function nodeArch(arch: string): 'x64' | 'arm64' {
  if (arch === 'amd64') return 'x64';
  if (arch === 'arm64') return 'arm64';
  throw new Error(`no image is made for ${arch}`);
}

/** The folder of an npm package: among those for another architecture, where it is there, else in node_modules. */
export function packageFolder(name: string, modules: string): string {
  const foreign = join(modules, name);
  return existsSync(foreign) ? foreign : join(import.meta.dirname, '../node_modules', name);
}
