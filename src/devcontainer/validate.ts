import type { JSONPath } from 'jsonc-parser';
import * as v from 'valibot';
import { AppError, type Where } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { didYouMean, nearest } from '../core/suggest.ts';
import type { JsonDocument } from './document.ts';
import { OTHER_KEYS, PROPERTIES } from './properties.ts';
import { BUILD_KEYS, type PropertyRow } from './property-types.ts';
import { readableValue } from './readable.ts';
import type { DevcontainerConfig } from './types.ts';

/**
 * Checks the properties of a devcontainer.json. Unknown ones are kept and warned about; numbers and booleans where
 * variables want text become text; null counts as left out.
 * @throws AppError DEVCONTAINER at the first value of a wrong type, unless the property has no effect here anyway
 */
export function checkProperties(document: JsonDocument, emit: Emit): DevcontainerConfig {
  const warn = (text: string, where: Where, hint?: string): void =>
    emit({
      type: 'warning',
      code: 'DEVCONTAINER',
      text,
      ...(hint === undefined ? {} : { hint }),
      ...(where.range === undefined ? {} : { range: where.range }),
    });
  const config: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document.value)) {
    const row = PROPERTIES.find((property) => property.name === name);
    if (!row) {
      config[name] = value;
      if (!OTHER_KEYS.includes(name))
        warnUnknown(
          name,
          [],
          PROPERTIES.map((property) => property.name),
        );
    } else if (value === null) {
      warn(`${name} is null, which is as if it were left out`, document.whereOfKey([name]));
    } else {
      const checked = checkValue(row, value);
      if (checked !== undefined) config[name] = checked;
    }
  }
  return config as DevcontainerConfig;

  function checkValue(row: PropertyRow, written: unknown): unknown {
    // What has no effect is passed on as it is.
    const value =
      row.support === 'no effect'
        ? written
        : readableValue(row, written, ({ path, taken }) =>
            warn(`${pathText(path)} is ${taken}`, document.whereOfKey(path)),
          );
    const result = v.safeParse(row.schema, value);
    if (result.success) {
      if (row.name === 'build') checkBuildKeys(value as object);
      return result.output;
    }
    const { issue, keys } = deepest(result.issues[0]);
    const path: JSONPath = [row.name, ...keys];
    const expected = keys.length === 0 ? row.expects : expectedOf(issue);
    const text = `${pathText(path)} must be ${expected}, and not ${describe(issue.input)}`;
    const where = document.whereOf(path);
    if (row.lenience?.includes('omit')) {
      warn(`${text}; ${row.name} is left out`, where);
      return undefined;
    }
    if (row.support !== 'no effect') throw new AppError('DEVCONTAINER', text, { where });
    warn(text, where);
    return value;
  }

  function checkBuildKeys(build: object): void {
    for (const key of Object.keys(build))
      if (!BUILD_KEYS.includes(key)) warnUnknown(key, ['build'], BUILD_KEYS);
  }

  function warnUnknown(name: string, parents: readonly string[], known: readonly string[]): void {
    const match = nearest(name, known);
    const path = [...parents, name];
    warn(
      `${pathText(path)} is not a property of devcontainer.json`,
      document.whereOfKey(path),
      match === undefined ? undefined : didYouMean(name, known),
    );
  }
}

/**
 * Checks features that do not stand in a file.
 * @throws AppError USAGE
 */
export function checkFeatures(features: object): NonNullable<DevcontainerConfig['features']> {
  const row = PROPERTIES.find(({ name }) => name === 'features')!;
  const result = v.safeParse(row.schema, features);
  if (result.success) return result.output as NonNullable<DevcontainerConfig['features']>;
  const { issue, keys } = deepest(result.issues[0]);
  const [path, expected] = keys.length === 0 ? ['it', row.expects] : [pathText(keys), expectedOf(issue)];
  const text = `additional features: ${path} must be ${expected}, and not ${describe(issue.input)}`;
  throw new AppError('USAGE', text);
}

type Issue = v.BaseIssue<unknown>;

/** Where several types are possible, what is wrong with the one that fits best: the mistake that lies deepest. */
function deepest(issue: Issue): { readonly issue: Issue; readonly keys: JSONPath } {
  const own = (issue.path ?? []).map(({ key }) => key as string | number);
  const inner = (issue.issues ?? []).map(deepest).filter(({ keys }) => keys.length > 0);
  const best = inner.sort((a, b) => b.keys.length - a.keys.length)[0];
  return best ? { issue: best.issue, keys: [...own, ...best.keys] } : { issue, keys: own };
}

/** `a.b[0]`, with quotes around keys that are no words. */
function pathText(path: JSONPath): string {
  return path
    .map((part, i) => {
      if (typeof part === 'number') return `[${part}]`;
      const word = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
      return i === 0 ? word : `.${word}`;
    })
    .join('');
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  boolean: 'true or false',
  number: 'a number',
  Array: 'a list',
  Object: 'an object',
  unknown: 'an object',
};

function expectedOf(issue: Issue): string {
  const words = [...new Set((issue.expected ?? '').replace(/^\(|\)$/g, '').split(' | '))];
  const known = words.map((word) => TYPES[word] ?? word.replaceAll('"', ''));
  if (issue.kind === 'validation') return `like ${issue.expected}`;
  return known.length > 1 ? `${known.slice(0, -1).join(', ')} or ${known.at(-1)}` : known[0]!;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `the string ${JSON.stringify(value)}` : `the ${typeof value} ${value}`;
}
