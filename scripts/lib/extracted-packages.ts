import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache-dir.ts';
import { ensurePackages } from './debian.ts';
import { run, step } from './shell.ts';

/** Debian packages laid out in a directory, from any release, without being installed on this machine. */
export interface ExtractedPackages {
  readonly root: string;
  readonly suite: string;
}

/**
 * Downloads packages and what they depend on, and unpacks them into a cached directory; their scripts never run, so no
 * service is started. The first of `suites` that works is taken.
 */
export async function extractPackages(
  name: string,
  suites: readonly string[],
  packages: readonly string[],
): Promise<ExtractedPackages> {
  const failures: string[] = [];
  for (const suite of suites) {
    try {
      const root = await cached(`${name}-${suite}`, packages, async (path) => {
        await ensurePackages(['mmdebstrap', 'ca-certificates']);
        await step(`Downloading ${packages[0]} of Debian ${suite}`, () => extract(path, suite, packages));
      });
      return { root, suite };
    } catch (error) {
      failures.push(`${suite}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`${packages[0]} cannot be had from Debian:\n${failures.join('\n')}`);
}

async function extract(path: string, suite: string, packages: readonly string[]): Promise<void> {
  await run('mmdebstrap', [
    '--quiet',
    '--mode=root',
    '--variant=extract',
    '--format=directory',
    // Mirrors that keep a frozen state have expired release files; signatures are still checked.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    `--include=${packages.join(',')}`,
    suite,
    path,
  ]);
  for (const dir of ['bin', 'sbin', 'lib', 'lib64']) {
    if (!existsSync(join(path, dir))) symlinkSync(`usr/${dir}`, join(path, dir));
  }
  for (const dir of ['usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
    rmSync(join(path, dir), { recursive: true, force: true });
  }
}

/**
 * Writes a script to `file` that runs a program of the extracted packages on this machine, with their own C library.
 * @param program absolute path inside the packages
 */
export function writeLauncher(packages: ExtractedPackages, program: string, file: string): string {
  const loader = process.arch === 'arm64' ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2';
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const { root } = packages;
  const dir = existsSync(join(root, 'usr/lib64', loader)) ? 'usr/lib64' : 'usr/lib';
  const at = [join(root, dir, loader), join(root, `lib/${triplet}`, loader)].find((path) => existsSync(path));
  const libraries = `${root}/usr/lib/${triplet}:${root}/lib/${triplet}`;
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\nexec '${at}' --library-path '${libraries}' '${root}${program}' "$@"\n`, {
    mode: 0o755,
  });
  return file;
}
