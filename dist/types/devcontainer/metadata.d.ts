import type { Emit } from '../core/events.ts';
import type { DevcontainerConfig, MetadataEntry } from './types.ts';
/** The label in which an image carries what a dev container made from it needs. */
export declare const METADATA_LABEL = "devcontainer.metadata";
/**
 * The entries in an image's labels, which hold a list of them or a single one. What cannot be read is a warning and left
 * out, since the image works without: a whole label, or a property of a wrong type that would decide something.
 * @param image what to call the image in warnings
 */
export declare function readMetadata(labels: Readonly<Record<string, string>> | undefined, image: string, emit: Emit): readonly MetadataEntry[];
/** What of a devcontainer.json goes into the label; undefined when nothing does. */
export declare function entryOfConfig(config: DevcontainerConfig): MetadataEntry | undefined;
/** The label of an image with these entries; undefined when there are none. */
export declare function metadataLabel(entries: readonly MetadataEntry[]): string | undefined;
