import * as v from 'valibot';

/** How the values of a property are put together when several entries have it, lowest first. */
export type Merge =
  /** true when one of them is. */
  | 'any'
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

/** How a value of a wrong type is taken, with a warning. */
export type Lenience =
  /** A string in place of a list is a list of one. */
  | 'one'
  /** A number in place of a user is an id. */
  | 'id'
  /** null is a value in it, and no warning. */
  | 'null'
  /** Whatever else cannot be read is left out, since the dev container works without. */
  | 'omit';

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
  /** Wrong types that are taken all the same. */
  readonly lenience?: readonly Lenience[];
  /** What is done with it, and why where that differs from the reference implementation. */
  readonly text: string;
  /** Its own properties, where they are treated differently. */
  readonly parts?: readonly SupportRow[];
}

/** A line of docs/devcontainer-support.md that no property of the schema has. */
export type SupportRow = Pick<PropertyRow, 'name' | 'support' | 'text'>;

/** An object that is no list: valibot's own object schemas take lists as well. */
function object<const Schema extends v.GenericSchema>(schema: Schema) {
  const isObject = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return v.pipe(v.custom<v.InferInput<Schema>>(isObject, NO_OBJECT), schema);
}

/** What valibot says where a value should be an object and is not. */
const NO_OBJECT = 'not an object';

/** A string; numbers and booleans are taken as they are written, since people write them so. */
const scalarText = v.pipe(
  v.union([v.string(), v.number(), v.boolean()]),
  v.transform((value) => String(value)),
);

export const text = v.string();
export const flag = v.boolean();
export const texts = v.array(v.string());
export const textOrTexts = v.union([text, texts]);
export const textMap = object(v.record(v.string(), scalarText));
export const nullableTextMap = object(v.record(v.string(), v.nullable(scalarText)));
export const port = v.union([
  v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535)),
  v.pipe(v.string(), v.regex(/^([a-z0-9-]+):(\d{1,5})$/)),
]);
export const hookCommand = v.union([text, texts, object(v.record(v.string(), textOrTexts))]);
export const anyObject = object(v.record(v.string(), v.unknown()));
const size = v.pipe(v.string(), v.regex(/^\d+([tgmk]b)?$/));
/** 0 asks for nothing, and is read: the reference merges what labels have without a check. */
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const portAttributes = object(
  v.looseObject({
    onAutoForward: v.optional(
      v.picklist(['notify', 'openBrowser', 'openBrowserOnce', 'openPreview', 'silent', 'ignore']),
    ),
    elevateIfNeeded: v.optional(flag),
    label: v.optional(text),
    requireLocalPort: v.optional(flag),
    protocol: v.optional(v.picklist(['http', 'https'])),
  }),
);

export const portsAttributes = object(v.record(v.string(), portAttributes));

export const mount = v.union([
  text,
  object(
    v.looseObject({ type: v.picklist(['bind', 'volume', 'tmpfs']), source: v.optional(text), target: text }),
  ),
]);

export const hostRequirements = object(
  v.looseObject({
    cpus: v.optional(count),
    memory: v.optional(size),
    storage: v.optional(size),
    gpu: v.optional(
      v.union([
        flag,
        v.literal('optional'),
        object(v.looseObject({ cores: v.optional(count), memory: v.optional(size) })),
      ]),
    ),
  }),
);

const BUILD = {
  dockerfile: v.optional(text),
  context: v.optional(text),
  target: v.optional(text),
  args: v.optional(textMap),
  cacheFrom: v.optional(textOrTexts),
  options: v.optional(texts),
};

export const buildProperties = object(v.looseObject(BUILD));

/** The properties of `build`. */
export const BUILD_KEYS: readonly string[] = Object.keys(BUILD);

export const features = object(
  v.record(
    v.string(),
    v.union([text, flag, object(v.record(v.string(), v.union([text, flag, v.number()])))]),
  ),
);

const secret = object(v.looseObject({ description: v.optional(text), documentationUrl: v.optional(text) }));
export const secrets = object(v.record(v.pipe(v.string(), v.regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)), secret));
