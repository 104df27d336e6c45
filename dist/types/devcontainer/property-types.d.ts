import * as v from 'valibot';
/** How the values of a property are put together when several entries have it, lowest first. */
export type Merge = 
/** true when one of them is. */
'any'
/** All different values. */
 | 'union'
/** Every value, in order. */
 | 'collect'
/** The last one. */
 | 'last'
/** For each key the last one. */
 | 'last-per-key'
/** For each target the last one. */
 | 'mounts'
/** All different ports. */
 | 'ports'
/** The largest. */
 | 'requirements'
/** A list for each key. */
 | 'collect-per-key';
/** What becomes of a property here, as docs/devcontainer-support.md says it. */
export type Support = 'works' | 'differs' | 'cannot' | 'no effect';
/** Which kinds of configuration have a property. */
export type Scenario = 'all' | 'image or Dockerfile' | 'Dockerfile' | 'image' | 'Compose';
/** A property of devcontainer.json: its type, its merge rule and what becomes of it. */
export interface PropertyRow {
    readonly name: string;
    readonly scenario: Scenario;
    readonly schema: v.GenericSchema;
    /** Its type in words, for errors: `must be …`. */
    readonly expects: string;
    /** Only properties that image metadata can hold have one. */
    readonly merge?: Merge;
    readonly support: Support;
    /** What is done with it, and why where that differs from the reference implementation. */
    readonly text: string;
    /** Its own properties, where they are treated differently. */
    readonly parts?: readonly SupportRow[];
}
/** A line of docs/devcontainer-support.md that no property of the schema has. */
export type SupportRow = Pick<PropertyRow, 'name' | 'support' | 'text'>;
export declare const text: v.StringSchema<undefined>;
export declare const flag: v.BooleanSchema<undefined>;
export declare const texts: v.ArraySchema<v.StringSchema<undefined>, undefined>;
export declare const textOrTexts: v.UnionSchema<[v.StringSchema<undefined>, v.ArraySchema<v.StringSchema<undefined>, undefined>], undefined>;
export declare const textMap: v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: string | number | boolean;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.SchemaWithPipe<readonly [v.UnionSchema<[v.StringSchema<undefined>, v.NumberSchema<undefined>, v.BooleanSchema<undefined>], undefined>, v.TransformAction<string | number | boolean, string>]>, undefined>]>;
export declare const nullableTextMap: v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: string | number | boolean | null;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.NullableSchema<v.SchemaWithPipe<readonly [v.UnionSchema<[v.StringSchema<undefined>, v.NumberSchema<undefined>, v.BooleanSchema<undefined>], undefined>, v.TransformAction<string | number | boolean, string>]>, undefined>, undefined>]>;
export declare const port: v.UnionSchema<[v.SchemaWithPipe<readonly [v.NumberSchema<undefined>, v.IntegerAction<number, undefined>, v.MinValueAction<number, 0, undefined>, v.MaxValueAction<number, 65535, undefined>]>, v.SchemaWithPipe<readonly [v.StringSchema<undefined>, v.RegexAction<string, undefined>]>], undefined>;
export declare const hookCommand: v.UnionSchema<[v.StringSchema<undefined>, v.ArraySchema<v.StringSchema<undefined>, undefined>, v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: string | string[];
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.UnionSchema<[v.StringSchema<undefined>, v.ArraySchema<v.StringSchema<undefined>, undefined>], undefined>, undefined>]>], undefined>;
export declare const anyObject: v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: unknown;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.UnknownSchema, undefined>]>;
export declare const portAttributes: v.SchemaWithPipe<readonly [v.CustomSchema<{
    onAutoForward?: "ignore" | "notify" | "openBrowser" | "openBrowserOnce" | "openPreview" | "silent" | undefined;
    elevateIfNeeded?: boolean | undefined;
    label?: string | undefined;
    requireLocalPort?: boolean | undefined;
    protocol?: "http" | "https" | undefined;
} & {
    [key: string]: unknown;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.LooseObjectSchema<{
    readonly onAutoForward: v.OptionalSchema<v.PicklistSchema<["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"], undefined>, undefined>;
    readonly elevateIfNeeded: v.OptionalSchema<v.BooleanSchema<undefined>, undefined>;
    readonly label: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
    readonly requireLocalPort: v.OptionalSchema<v.BooleanSchema<undefined>, undefined>;
    readonly protocol: v.OptionalSchema<v.PicklistSchema<["http", "https"], undefined>, undefined>;
}, undefined>]>;
export declare const portsAttributes: v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: {
        onAutoForward?: "ignore" | "notify" | "openBrowser" | "openBrowserOnce" | "openPreview" | "silent" | undefined;
        elevateIfNeeded?: boolean | undefined;
        label?: string | undefined;
        requireLocalPort?: boolean | undefined;
        protocol?: "http" | "https" | undefined;
    } & {
        [key: string]: unknown;
    };
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.SchemaWithPipe<readonly [v.CustomSchema<{
    onAutoForward?: "ignore" | "notify" | "openBrowser" | "openBrowserOnce" | "openPreview" | "silent" | undefined;
    elevateIfNeeded?: boolean | undefined;
    label?: string | undefined;
    requireLocalPort?: boolean | undefined;
    protocol?: "http" | "https" | undefined;
} & {
    [key: string]: unknown;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.LooseObjectSchema<{
    readonly onAutoForward: v.OptionalSchema<v.PicklistSchema<["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"], undefined>, undefined>;
    readonly elevateIfNeeded: v.OptionalSchema<v.BooleanSchema<undefined>, undefined>;
    readonly label: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
    readonly requireLocalPort: v.OptionalSchema<v.BooleanSchema<undefined>, undefined>;
    readonly protocol: v.OptionalSchema<v.PicklistSchema<["http", "https"], undefined>, undefined>;
}, undefined>]>, undefined>]>;
export declare const mount: v.UnionSchema<[v.StringSchema<undefined>, v.SchemaWithPipe<readonly [v.CustomSchema<{
    type: "bind" | "tmpfs" | "volume";
    source?: string | undefined;
    target: string;
} & {
    [key: string]: unknown;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.LooseObjectSchema<{
    readonly type: v.PicklistSchema<["bind", "volume", "tmpfs"], undefined>;
    readonly source: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
    readonly target: v.StringSchema<undefined>;
}, undefined>]>], undefined>;
export declare const hostRequirements: v.SchemaWithPipe<readonly [v.CustomSchema<{
    cpus?: number | undefined;
    memory?: string | undefined;
    storage?: string | undefined;
    gpu?: "optional" | boolean | ({
        cores?: number | undefined;
        memory?: string | undefined;
    } & {
        [key: string]: unknown;
    }) | undefined;
} & {
    [key: string]: unknown;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.LooseObjectSchema<{
    readonly cpus: v.OptionalSchema<v.SchemaWithPipe<readonly [v.NumberSchema<undefined>, v.IntegerAction<number, undefined>, v.MinValueAction<number, 1, undefined>]>, undefined>;
    readonly memory: v.OptionalSchema<v.SchemaWithPipe<readonly [v.StringSchema<undefined>, v.RegexAction<string, undefined>]>, undefined>;
    readonly storage: v.OptionalSchema<v.SchemaWithPipe<readonly [v.StringSchema<undefined>, v.RegexAction<string, undefined>]>, undefined>;
    readonly gpu: v.OptionalSchema<v.UnionSchema<[v.BooleanSchema<undefined>, v.LiteralSchema<"optional", undefined>, v.SchemaWithPipe<readonly [v.CustomSchema<{
        cores?: number | undefined;
        memory?: string | undefined;
    } & {
        [key: string]: unknown;
    }, v.ErrorMessage<v.CustomIssue> | undefined>, v.LooseObjectSchema<{
        readonly cores: v.OptionalSchema<v.SchemaWithPipe<readonly [v.NumberSchema<undefined>, v.IntegerAction<number, undefined>, v.MinValueAction<number, 1, undefined>]>, undefined>;
        readonly memory: v.OptionalSchema<v.SchemaWithPipe<readonly [v.StringSchema<undefined>, v.RegexAction<string, undefined>]>, undefined>;
    }, undefined>]>], undefined>, undefined>;
}, undefined>]>;
export declare const buildProperties: v.SchemaWithPipe<readonly [v.CustomSchema<{
    dockerfile?: string | undefined;
    context?: string | undefined;
    target?: string | undefined;
    args?: {
        [x: string]: string | number | boolean;
    } | undefined;
    cacheFrom?: string | string[] | undefined;
    options?: string[] | undefined;
} & {
    [key: string]: unknown;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.LooseObjectSchema<{
    dockerfile: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
    context: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
    target: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
    args: v.OptionalSchema<v.SchemaWithPipe<readonly [v.CustomSchema<{
        [x: string]: string | number | boolean;
    }, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.SchemaWithPipe<readonly [v.UnionSchema<[v.StringSchema<undefined>, v.NumberSchema<undefined>, v.BooleanSchema<undefined>], undefined>, v.TransformAction<string | number | boolean, string>]>, undefined>]>, undefined>;
    cacheFrom: v.OptionalSchema<v.UnionSchema<[v.StringSchema<undefined>, v.ArraySchema<v.StringSchema<undefined>, undefined>], undefined>, undefined>;
    options: v.OptionalSchema<v.ArraySchema<v.StringSchema<undefined>, undefined>, undefined>;
}, undefined>]>;
/** The properties of `build`. */
export declare const BUILD_KEYS: readonly string[];
export declare const features: v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: string | boolean | {
        [x: string]: string | number | boolean;
    };
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.UnionSchema<[v.StringSchema<undefined>, v.BooleanSchema<undefined>, v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: string | number | boolean;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.StringSchema<undefined>, v.UnionSchema<[v.StringSchema<undefined>, v.BooleanSchema<undefined>, v.NumberSchema<undefined>], undefined>, undefined>]>], undefined>, undefined>]>;
export declare const secrets: v.SchemaWithPipe<readonly [v.CustomSchema<{
    [x: string]: {
        description?: string | undefined;
        documentationUrl?: string | undefined;
    } & {
        [key: string]: unknown;
    };
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.RecordSchema<v.SchemaWithPipe<readonly [v.StringSchema<undefined>, v.RegexAction<string, undefined>]>, v.SchemaWithPipe<readonly [v.CustomSchema<{
    description?: string | undefined;
    documentationUrl?: string | undefined;
} & {
    [key: string]: unknown;
}, v.ErrorMessage<v.CustomIssue> | undefined>, v.LooseObjectSchema<{
    readonly description: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
    readonly documentationUrl: v.OptionalSchema<v.StringSchema<undefined>, undefined>;
}, undefined>]>, undefined>]>;
