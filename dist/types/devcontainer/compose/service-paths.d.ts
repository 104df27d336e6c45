type Mapping = Readonly<Record<string, unknown>>;
/** A path of a Compose file; `~` is the home directory of nobody in particular here and stays. */
export declare function resolveFrom(base: string, path: string): string;
/** Whether the context of a build is a repository and not a directory. */
export declare function isRemote(context: string): boolean;
/** A service in long forms with its paths made absolute, so that it can be merged with one from another folder. */
export declare function absolutePaths(service: Mapping, base: string): Mapping;
export {};
