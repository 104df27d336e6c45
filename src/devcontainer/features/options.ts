import type { FeatureOptions } from '../types.ts';
import type { FeatureMetadata } from './types.ts';

type Values = Readonly<Record<string, string | boolean | number>>;

/**
 * The values of a feature's options: defaults, and over them what is given. A string or boolean in place of an object is
 * the option `version`, where there is one.
 */
export function optionValues(metadata: FeatureMetadata, given: FeatureOptions): Values {
  const defaults = Object.fromEntries(
    Object.entries(metadata.options ?? {}).flatMap(([name, option]) =>
      option.default === undefined ? [] : [[name, option.default] as const],
    ),
  );
  if (typeof given === 'object') return { ...defaults, ...given };
  return metadata.options?.version ? { ...defaults, version: given } : defaults;
}

/** What an option is called as a variable (Dev Container Features reference, "Option Resolution"). */
export function variableName(option: string): string {
  return option
    .replace(/\W/g, '_')
    .replace(/^[\d_]+/, '_')
    .toUpperCase();
}

/**
 * The content of devcontainer-features.env, which the install script's shell reads: as in the reference implementation,
 * `$` and the like in a value mean what they mean to a shell between double quotes.
 */
export function optionsFile(metadata: FeatureMetadata, given: FeatureOptions): string {
  return Object.entries(optionValues(metadata, given))
    .map(([name, value]) => `${variableName(name)}="${value}"\n`)
    .join('');
}

/** What is odd about given options, one sentence each: names that a feature does not have, values outside of an enum. */
export function oddOptions(metadata: FeatureMetadata, given: FeatureOptions): string[] {
  const known = metadata.options ?? {};
  const all = typeof given === 'object' ? given : known.version ? { version: given } : {};
  return Object.entries(all).flatMap(([name, value]) => {
    const option = known[name];
    if (!option) return [`has no option "${name}"`];
    if (!option.enum || option.enum.includes(String(value))) return [];
    return [`has the option "${name}" with the value "${value}", which is none of ${option.enum.join(', ')}`];
  });
}
