import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ContextSource, isGitContext } from '../../index.ts';

/**
 * Where a context comes from that is no directory: standard input (`-`), a repository, a URL, or an archive in a file.
 * @returns undefined for a directory, and for what is not there
 */
export function contextSource(
  text: string,
  cwd: string,
  stdin: () => NodeJS.ReadStream,
): ContextSource | undefined {
  if (text === '-') return { type: 'file', name: 'standard input', open: stdin };
  const path = resolve(cwd, text);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return undefined;
  if (found?.isFile()) return { type: 'file', name: path, open: () => createReadStream(path), archive: true };
  if (/^github\.com\//.test(text)) return { type: 'git', url: `https://${text}` };
  if (isGitContext(text)) return { type: 'git', url: text };
  return /^https?:\/\//.test(text) ? { type: 'url', url: text } : undefined;
}
