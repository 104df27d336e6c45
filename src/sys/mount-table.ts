import { readFileSync } from 'node:fs';
import { decodePath } from '../core/path-bytes.ts';

/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
  readonly device: string;
  /** What of its file system is mounted: `/` is all of it. */
  readonly root: string;
  readonly mountPoint: string;
  readonly readonly: boolean;
  /** Mounts made here appear in other namespaces too. */
  readonly shared: boolean;
  readonly fsType: string;
  readonly source: string;
}

/** The mounts that this process sees, in the order in which they were made; points that are no longer reachable too. */
export function readMountTable(): MountEntry[] {
  return parseMountTable(readFileSync('/proc/self/mountinfo'));
}

/**
 * What is mounted at or above a path, the root itself left out.
 * @param path absolute, without links
 */
export function mountAround<Mount extends Pick<MountEntry, 'mountPoint'>>(
  path: string,
  mounts: readonly Mount[],
): Mount | undefined {
  return mounts.findLast(
    ({ mountPoint }) => mountPoint !== '/' && (path === mountPoint || path.startsWith(`${mountPoint}/`)),
  );
}

/** @param bytes the content of a mountinfo file */
export function parseMountTable(bytes: Buffer): MountEntry[] {
  return bytes
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ');
      const dash = fields.indexOf('-', 6);
      const options = fields.slice(6, dash);
      return {
        device: fields[2]!,
        root: unescapeOctal(fields[3]!),
        mountPoint: unescapeOctal(fields[4]!),
        readonly: fields[5]!.split(',').includes('ro'),
        shared: options.some((option) => option.startsWith('shared:')),
        fsType: fields[dash + 1] ?? '',
        source: unescapeOctal(fields[dash + 2] ?? ''),
      };
    });
}

function unescapeOctal(text: string): string {
  const raw = text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return decodePath(Buffer.from(raw, 'latin1'));
}
