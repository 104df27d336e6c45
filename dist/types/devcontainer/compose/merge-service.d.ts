type Mapping = Readonly<Record<string, unknown>>;
/** Merges a service over another (Compose Specification, "Merge Compose files"). */
export declare function mergeService(base: Mapping, over: Mapping): Mapping;
/** A service in its long forms. */
export declare function normalise(service: Mapping): Mapping;
/** A service without tags and in its long forms: what is left when everything has been merged. */
export declare function finishService(service: Mapping): Mapping;
/** `source:target:mode`, or a target alone. */
export declare function splitVolume(text: string): {
    readonly source?: string;
    readonly target: string;
};
/** Whether a value is a mapping. */
export declare function isMapping(value: unknown): value is Mapping;
export {};
