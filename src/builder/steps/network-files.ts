import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunMount } from '../../sys/types.ts';

/**
 * The host's name resolution as files to mount over the image's own, since RUN uses the host's network; they are mounts,
 * so they never enter a layer.
 * @param directory made when missing
 * @param setTimes gives what it holds the time that all files have, where they have one
 */
export function createNetworkFiles(
  directory: string,
  hostname: string,
  setTimes: (directory: string) => void,
): RunMount[] {
  mkdirSync(directory, { recursive: true });
  const files: Record<string, string> = {
    '/etc/resolv.conf': hostText('/etc/resolv.conf'),
    '/etc/hosts': hostsText(hostname),
    '/etc/hostname': `${hostname}\n`,
  };
  const mounts = Object.entries(files).map(([target, text]): RunMount => {
    const source = join(directory, target.slice('/etc/'.length));
    writeFileSync(source, text, { mode: 0o644 });
    return { type: 'bind', source, target, readonly: true };
  });
  setTimes(directory);
  return mounts;
}

function hostsText(hostname: string): string {
  const lines = hostText('/etc/hosts').trimEnd().split('\n');
  if (!lines.some((line) => line.startsWith('::1'))) lines.push('::1\tlocalhost ip6-localhost ip6-loopback');
  return `${[...lines, `127.0.0.1\t${hostname}`].join('\n')}\n`;
}

function hostText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
