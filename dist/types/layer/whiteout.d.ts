import type { LayerEntry } from '../tar/types.ts';
/** Prefix of a file that stands for a deletion (OCI image spec, "Whiteouts"). */
export declare const WHITEOUT_PREFIX = ".wh.";
/** Name of the file that makes its directory opaque (OCI image spec, "Opaque Whiteout"). */
export declare const OPAQUE_NAME = ".wh..wh..opq";
/** The entry that deletes a path. */
export declare function whiteoutEntry(path: string): LayerEntry;
/** The entry that hides everything that lower layers have in a directory. */
export declare function opaqueEntry(directory: string): LayerEntry;
