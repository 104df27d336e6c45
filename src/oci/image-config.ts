import * as v from 'valibot';
import type { Digest } from '../core/digest.ts';
import { isDigest } from '../core/digest.ts';
import { parseJson, validate, withoutNulls } from './manifest.ts';
import type { ImageConfig } from './types.ts';

const string = v.nullish(v.string());
const strings = v.nullish(v.array(v.string()));
const integer = v.nullish(v.pipe(v.number(), v.integer()));
const set = v.nullish(
  v.record(
    v.string(),
    v.pipe(
      v.unknown(),
      v.transform(() => ({})),
    ),
  ),
);
const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'not a sha256 digest',
);

const healthcheck = v.object({
  Test: strings,
  Interval: integer,
  Timeout: integer,
  StartPeriod: integer,
  StartInterval: integer,
  Retries: integer,
});

const container = v.object({
  User: string,
  ExposedPorts: set,
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  Volumes: set,
  WorkingDir: string,
  Labels: v.nullish(v.record(v.string(), v.string())),
  StopSignal: string,
  ArgsEscaped: v.nullish(v.boolean()),
  Healthcheck: v.nullish(healthcheck),
  OnBuild: strings,
  Shell: strings,
});

const history = v.object({
  created: string,
  created_by: string,
  author: string,
  comment: string,
  empty_layer: v.nullish(v.boolean()),
});

const schema = v.object({
  created: string,
  author: string,
  architecture: v.nullish(v.string(), ''),
  os: v.nullish(v.string(), 'linux'),
  variant: string,
  'os.version': string,
  'os.features': strings,
  config: v.nullish(container),
  rootfs: v.nullish(
    v.object({ type: v.nullish(v.literal('layers'), 'layers'), diff_ids: v.nullish(v.array(digest), []) }),
    {
      type: 'layers',
      diff_ids: [],
    },
  ),
  history: v.nullish(v.array(history)),
});

/**
 * Parses and validates an image config (OCI image spec, "Image Configuration", with Docker's fields). Fields that are null
 * or unknown are dropped; a config without layers has no diff IDs.
 * @param what names the config in errors
 * @throws AppError CORRUPT
 */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  return withoutNulls(validate(schema, parseJson(bytes, what), what)) as ImageConfig;
}
