import type { Descriptor, Index, Platform } from './types.ts';
/**
 * Parses `os/architecture[/variant]`, or one of the two alone (the other one is then the machine's).
 * @throws AppError USAGE
 */
export declare function parsePlatform(text: string): Platform;
/** The platform of images that run on this machine. */
export declare function defaultPlatform(): Platform;
/** `os/architecture[/variant]`. */
export declare function formatPlatform(platform: Platform): string;
/**
 * The images of an index that run on a platform, best first: the platform itself, then older variants of it, then the
 * 32-bit architecture that it also runs (amd64 → 386, arm64 → arm), as containerd orders them. Entries that are no
 * images (attestations: unknown/unknown, `vnd.docker.reference.type`) are never chosen.
 * @returns the best descriptor, or undefined
 */
export declare function selectPlatform(index: Index, platform: Platform): Descriptor | undefined;
/** The entries of an index that are images or indexes of images, attestations left out. */
export declare function imagesOf(index: Index): readonly Descriptor[];
/** Whether an image for `actual` runs on `wanted`. */
export declare function platformMatches(actual: Platform, wanted: Platform): boolean;
