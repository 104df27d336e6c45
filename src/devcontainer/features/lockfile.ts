import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { readDefinition, realInside } from '../../context/repository.ts';
import { type Digest, isDigest } from '../../core/digest.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { createBeneath, withBeneath } from '../../sys/beneath.ts';
import { compareText } from './compare.ts';
import { resourceOf } from './identifier.ts';
import type { ChosenFeature } from './types.ts';

const NAMED = { property: 'the lockfile of features' };

const schema = v.looseObject({
  features: v.record(v.string(), v.looseObject({ integrity: v.optional(v.string()) })),
});

export interface Lockfile {
  readonly path: string;
  /** Directories of which one has to hold it. */
  readonly roots: readonly string[];
  /** The digest that a feature must have, by the id as it is written. */
  readonly pins: ReadonlyMap<string, Digest>;
  /** The file's content; undefined when it does not exist or is empty. */
  readonly text?: string;
}

/** Where the lockfile of a devcontainer.json lies. */
export function lockfilePath(configFile: string): string {
  const hidden = basename(configFile).startsWith('.') ? '.' : '';
  return join(dirname(configFile), `${hidden}devcontainer-lock.json`);
}

/**
 * Reads the lockfile beside a devcontainer.json; one that does not exist or is empty pins nothing.
 * @throws AppError DEVCONTAINER when it is not a lockfile, OUTSIDE
 */
export function readLockfile(configFile: string, roots: readonly string[]): Lockfile {
  const path = lockfilePath(configFile);
  const text = readIfThere(path, roots);
  if (text === undefined || text.trim() === '') return { path, roots, pins: new Map() };
  const parsed = v.safeParse(schema, parseJson(text));
  if (!parsed.success) {
    throw new AppError('DEVCONTAINER', `${path} is not a lockfile of features`, {
      where: { path },
      hint: 'delete it to have it written anew',
    });
  }
  const pins = new Map<string, Digest>();
  for (const [id, { integrity }] of Object.entries(parsed.output.features)) {
    if (integrity !== undefined && isDigest(integrity)) pins.set(id, integrity);
  }
  return { path, roots, pins, text };
}

/** The lockfile of installed features, as the reference implementation writes it. Local features are not in it. */
export function lockfileText(chosen: readonly ChosenFeature[]): string {
  const entries = chosen.flatMap(({ id, feature }): [string, object][] => {
    // As in the reference, releases on GitHub are not locked.
    if (id.type === 'local' || (id.type === 'tarball' && id.release)) return [];
    const dependsOn = Object.keys(feature.metadata.dependsOn ?? {});
    const resolved = id.type === 'oci' ? `${resourceOf(id)}@${feature.digest}` : id.url;
    const entry = {
      version: feature.metadata.version,
      resolved,
      integrity: feature.digest,
      ...(dependsOn.length > 0 ? { dependsOn } : {}),
    };
    return [[id.written, entry]];
  });
  entries.sort(([a], [b]) => compareText(a, b));
  return `${JSON.stringify({ features: Object.fromEntries(entries) }, null, 2)}\n`;
}

/**
 * Writes the lockfile where it changed, whole or not at all; with `frozen` it must not change. A link stays, and what it
 * leads to is written.
 * @throws AppError DEVCONTAINER when it is frozen and would change, or cannot be written; OUTSIDE
 */
export function saveLockfile(lockfile: Lockfile, text: string, mode: 'update' | 'frozen'): void {
  const { path, roots } = lockfile;
  const same = lockfile.text !== undefined && sameJson(lockfile.text, text);
  if (same) return;
  if (mode === 'frozen') {
    const what = lockfile.text === undefined ? 'does not exist' : 'does not match the features';
    throw new AppError('DEVCONTAINER', `${path} ${what}, and it is frozen`, {
      where: { path },
      hint: 'have it updated once and commit it, or do not freeze it',
    });
  }
  try {
    const file = realInside(path, roots, NAMED);
    const fresh = `.${basename(file)}.${process.pid}.new`;
    withBeneath(createBeneath(), dirname(file), (directory) => {
      directory.writeFile(fresh, text);
      directory.rename(fresh, basename(file));
    });
  } catch (error) {
    throw toAppError(error, 'DEVCONTAINER', `cannot write ${path}`, { where: { path } });
  }
}

function sameJson(a: string, b: string): boolean {
  return JSON.stringify(parseJson(a)) === JSON.stringify(parseJson(b));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readIfThere(path: string, roots: readonly string[]): string | undefined {
  try {
    return readDefinition(path, roots, { ...NAMED, by: 'definition' }).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw toAppError(error, 'DEVCONTAINER', `cannot read ${path}`, { where: { path } });
  }
}
