import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cached } from './cache-dir.ts';
import { capture, run, step } from './shell.ts';

/** Why Go programs cannot be built on this machine, or false. */
export function noGo(): string | false {
  return findGo() === undefined ? 'Go is not installed (golang-go, or /usr/local/go)' : false;
}

/**
 * Builds a program of a Go module from its sources, once for all test runs.
 * @param source `module/path@version`, as `go install` takes it
 * @returns the path of the program
 * @throws Error when there is no Go, or the module cannot be had
 */
export async function goProgram(source: string): Promise<string> {
  const go = findGo();
  if (go === undefined) throw new Error('Go is not installed');
  const name = source.split('@')[0]!.split('/').at(-1)!;
  const directory = await cached(`go-${name}`, source, async (path) => {
    const env = { GOBIN: path, CGO_ENABLED: '0', GOFLAGS: '-trimpath' };
    await step(`Building ${source}`, () =>
      run(go, ['install', source], { env, cwd: '/', timeoutMs: 300_000 }),
    );
    await capture('chmod', ['-R', 'a+rX', path]);
  });
  return join(directory, name);
}

/** The go command; undefined where there is none. */
export function findGo(): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin', '/usr/lib/go/bin'];
  return places.map((place) => join(place, 'go')).find((path) => existsSync(path));
}
