import * as v from 'valibot';
import { AppError, type Where } from '../../core/error.ts';
import { parseDocument } from '../document.ts';
import { updateOldProperties } from '../old-properties.ts';
import * as t from '../property-types.ts';
import type { FeatureMetadata } from './types.ts';

/** The file in a feature's folder that says what it is. */
export const FEATURE_FILE = 'devcontainer-feature.json';

const option = v.looseObject({
  type: v.optional(t.text),
  default: v.optional(v.union([t.text, t.flag, v.number()])),
  enum: v.optional(t.texts),
  proposals: v.optional(t.texts),
  description: v.optional(t.text),
});

const schema = v.looseObject({
  id: v.pipe(t.text, v.regex(/^[\w.-]+$/)),
  version: v.optional(t.text),
  name: v.optional(t.text),
  description: v.optional(t.text),
  documentationURL: v.optional(t.text),
  options: v.optional(v.record(t.text, option)),
  containerEnv: v.optional(
    v.pipe(
      t.textMap,
      v.check(
        (env) =>
          Object.entries(env).every(([name, value]) => /^[\w.-]+$/.test(name) && !/[\r\n]/.test(value)),
        'variables have plain names, and values of one line',
      ),
    ),
  ),
  mounts: v.optional(v.array(t.mount)),
  init: v.optional(t.flag),
  privileged: v.optional(t.flag),
  capAdd: v.optional(t.texts),
  securityOpt: v.optional(t.texts),
  entrypoint: v.optional(t.text),
  customizations: v.optional(t.anyObject),
  installsAfter: v.optional(t.texts),
  dependsOn: v.optional(t.features),
  deprecated: v.optional(t.flag),
  legacyIds: v.optional(t.texts),
  onCreateCommand: v.optional(t.hookCommand),
  updateContentCommand: v.optional(t.hookCommand),
  postCreateCommand: v.optional(t.hookCommand),
  postStartCommand: v.optional(t.hookCommand),
  postAttachCommand: v.optional(t.hookCommand),
});

/**
 * Reads devcontainer-feature.json; properties that nobody knows are kept, properties that are null count as left out.
 * @param what names the feature in errors
 * @throws AppError DEVCONTAINER when it is not JSON, or a property has a wrong type
 */
export function parseMetadata(text: string, what: string, where: Where): FeatureMetadata {
  const { value } = parseDocument(text, `${FEATURE_FILE} of ${what}`);
  const given = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null));
  const result = v.safeParse(schema, given);
  if (result.success) return updateOldProperties(result.output as object) as FeatureMetadata;
  const [issue] = result.issues;
  const path = (issue.path ?? []).map(({ key }) => String(key)).join('.');
  throw new AppError('DEVCONTAINER', `${FEATURE_FILE} of ${what} has a wrong "${path}": ${issue.message}`, {
    where,
    hint: 'report it to the author of the feature, or use another version of it',
  });
}
