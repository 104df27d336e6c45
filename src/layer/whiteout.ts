import type { LayerEntry } from './types.ts';

/** Prefix of a file that stands for a deletion (OCI image spec, "Whiteouts"). */
export const WHITEOUT_PREFIX = '.wh.';
/** Name of the file that makes its directory opaque (OCI image spec, "Opaque Whiteout"). */
export const OPAQUE_NAME = '.wh..wh..opq';

/** The last part of a path. */
function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a path is a whiteout of any kind, AUFS's own files included. */
export function isWhiteout(path: string): boolean {
  return nameOf(path).startsWith(WHITEOUT_PREFIX);
}

/** The directory that a path makes opaque, or undefined. */
export function opaqueDirectory(path: string): string | undefined {
  if (nameOf(path) !== OPAQUE_NAME) return undefined;
  return path.slice(0, Math.max(0, path.length - OPAQUE_NAME.length - 1));
}

/** The path that a whiteout deletes, or undefined when it is none or an opaque one. */
export function whiteoutTarget(path: string): string | undefined {
  const name = nameOf(path);
  if (!name.startsWith(WHITEOUT_PREFIX) || name.startsWith('.wh..wh.')) return undefined;
  return path.slice(0, path.length - name.length) + name.slice(WHITEOUT_PREFIX.length);
}

/** The entry that deletes a path. */
export function whiteoutEntry(path: string): LayerEntry {
  const slash = path.lastIndexOf('/') + 1;
  return marker(path.slice(0, slash) + WHITEOUT_PREFIX + path.slice(slash));
}

/** The entry that hides everything that lower layers have in a directory. */
export function opaqueEntry(directory: string): LayerEntry {
  return marker(directory === '' ? OPAQUE_NAME : `${directory}/${OPAQUE_NAME}`);
}

function marker(path: string): LayerEntry {
  return {
    path,
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: 0,
    mtimeNsec: 0,
    linkname: '',
    devmajor: 0,
    devminor: 0,
  };
}
