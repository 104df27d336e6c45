import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Services } from '../../scripts/lib/services.ts';
import { run } from '../../scripts/lib/shell.ts';

/** A git repository with one commit, on the server of the tests. Gives its address. */
export async function makeRepository(
  { dir, http }: Services,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  if (!http) throw new Error('this needs the HTTP server');
  const work = join(dir, `work-${name}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(work, path)), { recursive: true });
    writeFileSync(join(work, path), text);
  }
  const git = (...args: readonly string[]): Promise<string> =>
    run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: work });
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '--message=first');
  await git('clone', '--quiet', '--bare', '.', join(dir, `git/${name}.git`));
  return `http://${http.host}/git/${name}.git`;
}
