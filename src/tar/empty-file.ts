import type { LayerEntry } from './types.ts';

/** A regular file without content that is root's, 0644, and without a time: what other entries differ from. */
export const EMPTY_FILE = {
  path: '',
  type: 'file' as const,
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 0,
  mtimeNsec: 0,
  linkname: '',
  devmajor: 0,
  devminor: 0,
} satisfies LayerEntry;
