import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resolveLayout } from '../builder/layout-image.ts';
import { openRegistries } from '../builder/registry-access.ts';
import type { RegistrySettings } from '../builder/types.ts';
import { type Digest, isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { diffOf } from '../inventory/diff.ts';
import { type IndexOfImages, makeIndex } from '../inventory/make-index.ts';
import type { ImageDiff } from '../inventory/types.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { resolveImage } from '../oci/image.ts';
import { parseReference } from '../oci/reference.ts';
import type { Image, Platform } from '../oci/types.ts';
import { type RunOptions, registrySettings, runDeps } from './request.ts';

/** An image in a registry, or one in a directory: an OCI layout, or a layer cache. `version` is a tag or digest. */
export type ImageLocation =
  | { readonly type: 'registry'; readonly reference: string }
  | { readonly type: 'directory'; readonly path: string; readonly version: string };

export interface DiffOptions {
  /** Which image of an index is meant. */
  readonly platform: Platform;
  readonly registries?: Partial<RegistrySettings>;
}

/** Images that are there, and what their index is called. */
export interface MakeIndexRequest extends IndexOfImages {
  readonly registries?: Partial<RegistrySettings>;
}

/** Makes an index of images. @throws AppError as makeIndex of the inventory */
export async function combine(
  { registries: settings, ...request }: MakeIndexRequest,
  run: RunOptions,
): Promise<Digest> {
  const deps = runDeps(run);
  const registries = openRegistries(registrySettings(settings), deps);
  try {
    return await makeIndex(request, { ...deps, open: registries.open });
  } finally {
    await registries.close();
  }
}

/** Compares two images. @throws AppError REFERENCE, CONTEXT for a directory without images; REGISTRY, AUTH, CORRUPT */
export async function diff(
  first: ImageLocation,
  second: ImageLocation,
  { platform, registries: settings }: DiffOptions,
  run: RunOptions,
): Promise<ImageDiff> {
  const deps = runDeps(run);
  const registries = openRegistries(registrySettings(settings), deps);
  const open = (location: ImageLocation): Promise<Image> =>
    location.type === 'registry'
      ? registries.resolveImage(location.reference, platform, deps.signal)
      : inDirectory(location, platform, deps.signal);
  try {
    return await diffOf(await open(first), await open(second), deps);
  } finally {
    await registries.close();
  }
}

async function inDirectory(
  { path, version }: Extract<ImageLocation, { type: 'directory' }>,
  platform: Platform,
  signal: AbortSignal,
): Promise<Image> {
  const named = async (image: Promise<Image>): Promise<Image> => ({
    ...(await image),
    reference: `${path}${isDigest(version) ? '@' : ':'}${version}`,
  });
  if (existsSync(join(path, 'oci-layout')))
    return named(resolveLayout({ type: 'layout', path, version }, platform, signal));
  if (!existsSync(join(path, 'docker/registry/v2')))
    throw new AppError('CONTEXT', `${path} is neither an OCI layout nor a layer cache`, {
      where: { path },
      hint: 'name a directory that `--output type=oci` or `--layer-cache-dir` has filled',
    });
  // Of the reference only the version counts.
  const reference = parseReference(isDigest(version) ? `cache@${version}` : `cache:${version}`);
  const store = createDirectoryStore({ root: path, repository: 'local/cache' });
  return named(resolveImage(store, reference, platform, signal));
}
