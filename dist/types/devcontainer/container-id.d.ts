/**
 * The value of `${devcontainerId}`: SHA-256 over the labels that identify a dev container, as 52 digits to the base of
 * 32 (Dev Container Specification, "${devcontainerId}").
 */
export declare function devcontainerId(labels: Readonly<Record<string, string>>): string;
/** The labels of a dev container that is known by its folder and its file, as the reference implementation sets them. */
export declare function idLabels(workspaceFolder: string, configFile: string): Readonly<Record<string, string>>;
