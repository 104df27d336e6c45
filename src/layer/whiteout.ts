import { EMPTY_FILE } from '../tar/empty-file.ts';
import type { LayerEntry } from '../tar/types.ts';

/** Prefix of a file that stands for a deletion (OCI image spec, "Whiteouts"). */
export const WHITEOUT_PREFIX = '.wh.';
/** Name of the file that makes its directory opaque (OCI image spec, "Opaque Whiteout"). */
export const OPAQUE_NAME = '.wh..wh..opq';

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
  return { ...EMPTY_FILE, path, mode: 0o600 };
}
