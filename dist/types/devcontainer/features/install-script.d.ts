import type { ChosenFeature } from './types.ts';
/** Where features are while they are installed; the same place as in the reference implementation. */
export declare const INSTALL_ROOT = "/tmp/dev-container-features";
/** What a RUN mounts the files of one feature on; below /dev nothing of a mount point gets into a layer. */
export declare const MOUNT_POINT = "/dev/dev-container-feature";
/**
 * The script of the first step: it looks up the homes of both users before any feature changes them, and leaves what all
 * features see.
 */
export declare function usersScript({ containerUser, remoteUser, }: {
    readonly containerUser: string;
    readonly remoteUser: string;
}): string;
/**
 * The script that installs one feature: on a copy of its files, all executable, with the variables of the users and the
 * options. Nothing of the copy is left.
 * @param index the feature's place in the order
 */
export declare function installScript({ id, feature, options }: ChosenFeature, index: number): string;
/** The content and the name of the file with the options. */
export declare function optionsOf({ feature, options }: ChosenFeature): {
    readonly name: string;
    readonly text: string;
};
