import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../core/make-directories.ts';
import type { ContainerMount } from './spec.ts';

/**
 * Copies of the machine's own files, as docker run has them, with the name of the container.
 * @param lines of /etc/hosts, which count before those of the machine
 */
export function networkFiles(
  directory: string,
  name: string,
  lines: readonly string[] = [],
): readonly ContainerMount[] {
  const own = join(directory, 'network');
  makeDirectories(own, 0o755);
  const above = lines.map((line) => `${line}\n`).join('');
  const hosts = `${above}${readIfThere('/etc/hosts').replace(/(?<!^|\n)$/, '\n')}127.0.0.1 ${name}\n`;
  const texts = { 'resolv.conf': readIfThere('/etc/resolv.conf'), hosts, hostname: `${name}\n` };
  return Object.entries(texts).map(([file, text]) => {
    const source = join(own, file);
    writeFileSync(source, text, { mode: 0o644 });
    return { type: 'bind', source, target: `/etc/${file}`, readonly: false };
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
