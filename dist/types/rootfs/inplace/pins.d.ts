/**
 * What stays where it is when a root file system is replaced, as a tree of names: a kept path with all below it, and the
 * directories on the way to one, which are never deleted or replaced either.
 */
export interface Pins {
    readonly kept: boolean;
    readonly children: ReadonlyMap<string, Pins>;
}
/**
 * The pins of this container now: every mount but the root itself, and the paths to keep, under their real names too. A path
 * to keep that is not there has nothing that could be lost, and does not hide what an image has there.
 * @param keep absolute paths
 */
export declare function currentPins(keep: readonly string[]): Pins;
/** @param paths absolute; `/` is left out */
export declare function createPins(paths: readonly string[]): Pins;
/** How a path stands to the pins: at or below a kept one, on the way to one, or neither. */
export declare function pinOf(pins: Pins, path: string): {
    readonly kept: boolean;
    readonly pin: Pins | undefined;
};
