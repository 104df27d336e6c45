import { resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import { type ImageLocation, parseReference } from '../../index.ts';

const HINT =
  'write an image of a registry, oci-layout://DIRECTORY:TAG, or a directory as /DIR:TAG or ./DIR:TAG';

/**
 * Where an image is that a command line names: in a registry as Docker names it, or in a directory, which begins with `/`,
 * `./`, `../` or `oci-layout://`.
 * @throws AppError USAGE, REFERENCE
 */
export function imageLocation(text: string, cwd: string): ImageLocation {
  const path = /^(?:oci-layout:\/\/(?=.)|(?=\.{0,2}\/))(.*)$/s.exec(text)?.[1];
  if (path !== undefined) return directoryOf(path, cwd);
  if (/^[a-z-]+:\/\//.test(text)) throw new AppError('USAGE', `"${text}" is no image`, { hint: HINT });
  parseReference(text);
  return { type: 'registry', reference: text };
}

/** `DIRECTORY[:TAG]` or `DIRECTORY@DIGEST`; a tag has no slash. */
export function directoryOf(text: string, cwd: string): Extract<ImageLocation, { type: 'directory' }> {
  const [, path = text, digest, tag] = /^(.+?)(?:@(sha256:[0-9a-f]{64})|:([^/:@]+))?$/s.exec(text) ?? [];
  return { type: 'directory', path: resolve(cwd, path), version: digest ?? tag ?? 'latest' };
}
