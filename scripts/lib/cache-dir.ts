import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Directory for downloads and generated images that later runs use again: ENVBUILDER_TEST_CACHE or below ~/.cache. */
export function testCacheDir(): string {
  const dir = process.env.ENVBUILDER_TEST_CACHE ?? join(homedir(), '.cache', 'envbuilder-test');
  mkdirSync(dir, { recursive: true });
  return dir;
}

/**
 * The path `<dir>/<name>-<hash of recipe>`, made by `make` when it is not there yet. `make` gets a temporary path next to
 * it, so an interrupted run leaves nothing half-made under the final name.
 * @param recipe everything that the content depends on
 * @param dir a directory that is there; testCacheDir() when left out
 */
export async function cached(
  name: string,
  recipe: unknown,
  make: (path: string) => Promise<void>,
  dir = testCacheDir(),
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const path = join(dir, `${name}-${hash}`);
  if (existsSync(path)) return path;
  const partial = `${path}.${process.pid}.partial`;
  rmSync(partial, { recursive: true, force: true });
  try {
    await make(partial);
    if (!existsSync(path)) renameSync(partial, path);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return path;
}

/** A new temporary directory on the file system of TMPDIR. */
export function temporaryDir(name: string): string {
  return mkdtempSync(join(tmpdir(), `envbuilder-${name}-`));
}
