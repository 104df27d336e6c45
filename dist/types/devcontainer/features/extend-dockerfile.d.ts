export interface Installation {
    /** The name of the context with its files. */
    readonly context: string;
    readonly containerEnv: Readonly<Record<string, string>>;
}
export interface ExtendRequest {
    readonly text: string;
    readonly file: string;
    readonly target?: string;
    /** The context of the step that looks up the users. */
    readonly users: string;
    readonly features: readonly Installation[];
    /** Set again afterwards. */
    readonly user: string;
}
/**
 * A Dockerfile with one more stage, which starts from the target and installs features as root, a RUN for each.
 * @returns the name of the new stage as target
 * @throws AppError DOCKERFILE
 */
export declare function extendDockerfile(request: ExtendRequest): {
    readonly text: string;
    readonly target: string;
};
