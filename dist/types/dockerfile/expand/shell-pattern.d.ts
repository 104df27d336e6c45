type Fail = (message: string) => never;
/** The value without its shortest or longest prefix that matches. */
export declare function removePrefix(value: string, pattern: string, longest: boolean, fail: Fail): string;
/** The value without its shortest or longest suffix that matches. */
export declare function removeSuffix(value: string, pattern: string, longest: boolean, fail: Fail): string;
/** The value with the first or every longest match replaced; the replacement is taken literally. */
export declare function replacePattern(value: string, pattern: string, text: string, all: boolean, fail: Fail): string;
export {};
