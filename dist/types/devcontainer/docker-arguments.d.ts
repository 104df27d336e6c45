/** One flag of a docker command line. */
export interface DockerFlag {
    /** With its dashes, as it is known best: `--env` also for `-e`. */
    readonly name: string;
    readonly value?: string;
}
/** Flags with their values, in order; both `--flag=value` and `--flag value`. Words without a flag are left out. */
export declare function parseDockerFlags(words: readonly string[]): readonly DockerFlag[];
