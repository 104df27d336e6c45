/**
 * The fields that have a value, for an object whose fields may be left out but not be undefined. Name the type of the
 * object: then a misspelt field does not compile, which a spread of `Object.fromEntries` would let pass.
 * @example { ...given<Partial<Request>>({ target: options.target }) }
 */
export declare function given<T extends object>(fields: {
    readonly [K in keyof T]: T[K] | undefined;
}): Partial<T>;
/** Those of the named fields that a value has itself. */
export declare function pick<T extends object, K extends keyof T>(value: T, names: readonly K[]): Partial<Pick<T, K>>;
