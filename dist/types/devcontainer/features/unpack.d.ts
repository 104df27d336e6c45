import type { Readable } from 'node:stream';
/** Features are scripts with a few files; what is larger is a mistake or an attack. */
export declare const UNPACK_LIMITS: {
    readonly bytes: number;
    readonly entries: 50000;
};
/** Most bytes of devcontainer-feature.json. */
export declare const LARGEST_METADATA: number;
type Limits = Readonly<Record<keyof typeof UNPACK_LIMITS, number>>;
/**
 * Unpacks the archive of a feature into an empty directory. Owners, times and attributes are left out; nothing leaves the
 * directory, neither while it is unpacked nor through a link afterwards.
 * @param what names the archive in errors
 * @throws AppError CORRUPT for anything but files, directories and links within it, and for more than the limits
 */
export declare function unpackFeature(stream: Readable, target: string, what: string, limits?: Limits): Promise<void>;
/** The content of one file in the archive of a feature; undefined when it has no such file. */
export declare function readFromFeature(stream: Readable, name: string, what: string, limits?: Limits): Promise<Buffer | undefined>;
export {};
