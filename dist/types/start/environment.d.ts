/** Variables and their values. */
export type Variables = Readonly<Record<string, string>>;
/** Where the environment of a start comes from, in the order in which later ones win. */
export interface EnvironmentSources {
    /** That of the container, without what configures us. */
    readonly container: Variables;
    /** The text of /etc/environment of the new root, if it has one. */
    readonly etcEnvironment?: string;
    /** `KEY=value` entries of the image's configuration. */
    readonly imageEnv: readonly string[];
    /** The devcontainer.json that was built from. */
    readonly devcontainerFile?: string;
    readonly containerEnv: Variables;
    /** null removes the variable. */
    readonly remoteEnv: Readonly<Record<string, string | null>>;
}
export interface StartEnvironment {
    readonly env: Variables;
    /** Names that the image and the dev container gave a value, sorted. */
    readonly added: readonly string[];
}
/** Puts the environment of user code together. */
export declare function composeEnvironment(sources: EnvironmentSources): StartEnvironment;
/**
 * The variables of /etc/environment, as pam_env reads it: `KEY=value` lines, `export` before them allowed, comments from
 * `#` on, one pair of quotes around a value taken away.
 */
export declare function parseEtcEnvironment(text: string): Variables;
/** The file that ENVBUILDER_EXPORT_ENV_FILE names: a sorted line for each variable that was added. */
export declare function exportLines({ env, added }: StartEnvironment): string;
/** Names what an environment says about its user, unless the image or the container say otherwise. */
export declare function withAccount(env: Variables, account: {
    readonly name: string;
    readonly home: string;
    readonly shell: string;
}): Variables;
