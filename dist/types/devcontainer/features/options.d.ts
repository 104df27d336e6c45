import type { FeatureOptions } from '../types.ts';
import type { FeatureMetadata } from './types.ts';
type Values = Readonly<Record<string, string | boolean | number>>;
/**
 * The values of a feature's options: defaults, and over them what is given. A string or boolean in place of an object is
 * the option `version`, where there is one.
 */
export declare function optionValues(metadata: FeatureMetadata, given: FeatureOptions): Values;
/** What an option is called as a variable (Dev Container Features reference, "Option Resolution"). */
export declare function variableName(option: string): string;
/**
 * The content of devcontainer-features.env, which the install script's shell reads: as in the reference implementation,
 * `$` and the like in a value mean what they mean to a shell between double quotes.
 */
export declare function optionsFile(metadata: FeatureMetadata, given: FeatureOptions): string;
/** What is odd about given options, one sentence each: names that a feature does not have, values outside of an enum. */
export declare function oddOptions(metadata: FeatureMetadata, given: FeatureOptions): string[];
export {};
