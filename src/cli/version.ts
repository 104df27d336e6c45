import { readFileSync } from 'node:fs';
import { packageFile } from '../core/own-files.ts';

/** The version of this envbuilder, from its package.json. */
export function version(): string {
  const text = readFileSync(packageFile(), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
