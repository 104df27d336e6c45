import type { Digest } from '../../core/digest.ts';
import type { FeatureOptions } from '../types.ts';
import { resourceOf } from './identifier.ts';
import type { FeatureId } from './types.ts';

/** What features are compared by. */
export interface Comparable {
  readonly id: FeatureId;
  readonly options: FeatureOptions;
  readonly digest?: Digest;
  /** The names that a feature has and had, the current one first; undefined while its metadata is not known. */
  readonly aliases?: readonly string[];
}

type Registry = Extract<FeatureId, { type: 'oci' }>;

/*
 * The reference implementation compares by the rules of the machine's language, so that "a-b" and "ab" are not in the order
 * of their bytes; English is what it nearly always runs in.
 */
const collator = new Intl.Collator('en');

/** The order of strings that the reference implementation uses. */
export function compareText(a: string, b: string): number {
  return collator.compare(a, b);
}

/**
 * The order of features within a round, 0 when they are equal (Dev Container Features reference, "Round Stable Sort" and
 * "Feature Equality").
 */
export function compareFeatures(a: Comparable, b: Comparable): number {
  if (a.id.type === 'oci' && b.id.type === 'oci') return compareRegistry(a, a.id, b, b.id);
  const [left, right] =
    a.id.type === 'local' && b.id.type === 'local'
      ? [a.id.path, b.id.path]
      : a.id.type === 'tarball' && b.id.type === 'tarball'
        ? [a.id.url, b.id.url]
        : [a.id.written, b.id.written];
  return compareText(left, right) || (a.id.type === b.id.type ? compareOptions(a.options, b.options) : 0);
}

/** Whether two features have the same content and the same options. */
export function sameFeature(a: Comparable, b: Comparable): boolean {
  return a.id.type === b.id.type && compareFeatures(a, b) === 0;
}

/** Whether a feature is the one that an id without a version means; `meant.aliases` are its known names, if any. */
export function isMeant({ id }: Comparable, meant: Pick<Comparable, 'id' | 'aliases'>): boolean {
  if (id.type === 'local') return meant.id.type === 'local' && id.path === meant.id.path;
  if (id.type === 'tarball')
    return meant.id.type === 'tarball' && (id.url === meant.id.url || sameRelease(id, meant.id));
  if (meant.id.type !== 'oci') return false;
  if (resourceOf(id) === resourceOf(meant.id)) return true;
  return sameNamespace(id, meant.id) && meant.aliases?.includes(id.name) === true;
}

type Tarball = Extract<FeatureId, { type: 'tarball' }>;

function sameRelease(a: Tarball, b: Tarball): boolean {
  const nameOf = ({ release, name }: Tarball): string =>
    `${release?.owner}/${release?.repository}/${name}`.toLowerCase();
  return a.release !== undefined && b.release !== undefined && nameOf(a) === nameOf(b);
}

/** Whether two features of registries are of one collection. */
export function sameNamespace(a: FeatureId, b: FeatureId): boolean {
  return a.type === 'oci' && b.type === 'oci' && a.registry === b.registry && a.namespace === b.namespace;
}

function compareRegistry(a: Comparable, aId: Registry, b: Comparable, bId: Registry): number {
  const options = compareOptions(a.options, b.options);
  if (a.digest === b.digest && options === 0) return 0;
  if (!sameNamespace(aId, bId)) {
    return compareText(`${aId.registry}/${aId.namespace}`, `${bId.registry}/${bId.namespace}`);
  }
  const names = new Set(b.aliases ?? [bId.name]);
  if (!(a.aliases ?? [aId.name]).some((name) => names.has(name))) return compareText(aId.name, bId.name);
  if (aId.tag !== undefined && bId.tag !== undefined && aId.tag !== bId.tag)
    return compareText(aId.tag, bId.tag);
  return options || compareText(a.digest ?? '', b.digest ?? '');
}

function compareOptions(a: FeatureOptions, b: FeatureOptions): number {
  if (typeof a !== 'object' || typeof b !== 'object') return compareValues(a, b);
  const [aKeys, bKeys] = [Object.keys(a).sort(), Object.keys(b).sort()];
  if (aKeys.length !== bKeys.length) return aKeys.length - bKeys.length;
  for (const [i, key] of aKeys.entries()) {
    if (key !== bKeys[i]) return compareText(key, bKeys[i]!);
    const [left, right] = [a[key]!, b[key]!];
    // Values of different types have no order in the reference implementation.
    const order = typeof left === typeof right ? compareValues(left, right) : 0;
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: FeatureOptions, b: FeatureOptions): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return compareText(typeof a, typeof b);
}
