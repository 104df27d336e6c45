import type { Schema } from '../../core/json-schema.ts';
import { REPORT_FORM } from './types.ts';

const TEXT: Schema = { type: 'string' };
const TEXT_OR_NULL: Schema = { type: ['string', 'null'] };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const MS: Schema = { type: ['integer', 'number'], minimum: 0 };
const TIME: Schema = { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' };

const list = (items: Schema): Schema => ({ type: 'array', items });
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });
function object(
  properties: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(properties),
    additionalProperties: false,
    properties: { ...properties, ...optional },
  };
}

const SPAN = { from: MS, to: MS };
const FILE = { path: TEXT, bytes: COUNT };
const MESSAGE = { code: TEXT, text: TEXT, hint: TEXT_OR_NULL, frame: list(TEXT) };
const FILES = object({ count: COUNT, bytes: COUNT, largest: list(object(FILE)) });

const STEP = object({
  text: TEXT,
  file: TEXT,
  line: COUNT,
  outcome: oneOf('hit', 'built', 'failed', 'unneeded', 'unfinished'),
  ms: MS,
  waitedMs: MS,
  spans: list(object({ ...SPAN, what: oneOf('ran', 'stage', 'build') }, { stage: TEXT })),
  causes: list(object({ code: TEXT, text: TEXT })),
  key: TEXT_OR_NULL,
  output: list(TEXT),
});

const STAGE = object({
  index: COUNT,
  name: TEXT,
  platform: TEXT_OR_NULL,
  target: { type: 'boolean' },
  base: TEXT_OR_NULL,
  from: { type: ['integer', 'null'] },
  reads: list(COUNT),
  steps: list(STEP),
});

const IMAGE = object({
  platform: TEXT,
  digest: TEXT,
  size: COUNT,
  layers: list(
    object({
      digest: TEXT,
      size: COUNT,
      origin: oneOf('base', 'cache', 'built', 'runtime'),
      createdBy: TEXT_OR_NULL,
      files: { ...FILES, type: ['object', 'null'] },
    }),
  ),
  waste: object({
    bytes: COUNT,
    count: COUNT,
    largest: list(object({ ...FILE, what: oneOf('replaced', 'removed'), layer: COUNT, by: COUNT })),
    complete: { type: 'boolean' },
  }),
});

/** What a report as JSON is; docs/reference/report.schema.json is made of it. */
export const REPORT_SCHEMA: Schema = object({
  form: { type: 'integer', const: REPORT_FORM },
  started: TIME,
  ms: MS,
  command: TEXT,
  outcome: oneOf('done', 'failed'),
  error: { ...object(MESSAGE), type: ['object', 'null'] },
  totals: object({
    steps: COUNT,
    hit: COUNT,
    built: COUNT,
    failed: COUNT,
    bytesPulled: COUNT,
    bytesPushed: COUNT,
  }),
  stages: list(STAGE),
  phases: list(object({ name: TEXT, ms: MS, spans: list(object(SPAN)) })),
  transfers: list(object({ ...SPAN, direction: oneOf('pull', 'push'), digest: TEXT, bytes: COUNT })),
  images: list(IMAGE),
  warnings: list(object(MESSAGE)),
  retries: list(object({ at: MS, what: TEXT, reason: TEXT })),
  environment: list(object({ name: TEXT, value: TEXT })),
});

/** The schema as it is published. */
export function reportSchemaText(): string {
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'What envbuilder --report FILE.json writes',
    description:
      'Times are milliseconds since the beginning of the run, bytes are bytes, paths have no slash in front.',
  };
  return `${JSON.stringify({ ...head, ...REPORT_SCHEMA }, null, 2)}\n`;
}
