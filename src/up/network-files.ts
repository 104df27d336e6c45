import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../core/make-directories.ts';
import type { ContainerMount } from './spec.ts';

const FOLDER = 'network';

/**
 * Copies of the machine's own files, as docker run has them, with the name of the container.
 * @param lines of /etc/hosts, which count before those of the machine
 */
export function networkFiles(
  directory: string,
  name: string,
  lines: readonly string[] = [],
): readonly ContainerMount[] {
  const own = join(directory, FOLDER);
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

/** Puts lines above those that a container that runs has in its /etc/hosts, unless it has them. */
export function addHosts(directory: string, lines: readonly string[]): void {
  const path = join(directory, FOLDER, 'hosts');
  const text = readIfThere(path);
  const known = text.split('\n');
  const missing = lines.filter((line) => !known.includes(line));
  // The file itself is mounted, so it is not replaced by another one.
  if (text !== '' && missing.length > 0) writeFileSync(path, `${missing.join('\n')}\n${text}`);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
