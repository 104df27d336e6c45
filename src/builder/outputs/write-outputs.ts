import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, toAppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { tooLong } from '../../core/too-long.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { writeDockerArchive } from '../../oci/docker-archive.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { createOciLayoutStore } from '../../oci/oci-layout.ts';
import { formatPlatform, normalizePlatform } from '../../oci/platform.ts';
import type { Platform } from '../../oci/types.ts';
import { writeOutputFile } from '../../sys/output-file.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import { layersOf, type OutputImage } from '../made-image.ts';
import { type Attestation, attachAll } from '../publishing/attestations.ts';
import { layerBlobSource } from '../publishing/layer-blobs.ts';
import type { Session } from '../session.ts';
import type { BuildRequest, OutputSpec } from '../types.ts';
import { checkRootfsTarget, namingOutput, removeRootfs, writeRootfs } from './rootfs-output.ts';

type WrittenOutput = Exclude<OutputSpec, { readonly type: 'inplace' }>;

/** What is written: an image, or several below an index. */
export interface Outputs {
  readonly images: readonly OutputImage[];
  readonly index: Buffer | undefined;
  /** Written where there is a place for them: into OCI layouts. */
  readonly attestations: readonly Attestation[];
}

/** A directory for each platform, as BuildKit's exporter names it: `linux_arm64`. */
function platformDirectory(platform: Platform): string {
  return formatPlatform(normalizePlatform(platform)).replaceAll('/', '_');
}

/** Writes every output that was asked for; each appears whole or not at all. */
export async function writeOutputs(
  request: BuildRequest,
  session: Session,
  built: Outputs,
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  const roots: { readonly path: string; readonly existed: boolean }[] = [];
  try {
    for (const output of request.outputs) {
      if (output.type === 'inplace') continue;
      const existed = existsSync(output.path);
      await writeOutput(request, session, built, output, deps);
      if (output.type === 'rootfs') roots.push({ path: output.path, existed });
    }
  } catch (error) {
    // Another attempt may have other files, and a root file system is never written over another.
    for (const { path, existed } of roots) removeRootfs(path, existed);
    throw tooLong(error) === undefined ? error : toAppError(error, 'OUTPUT', 'cannot write the output');
  }
  if (request.outputs.some(({ type }) => type === 'inplace')) await built.images[0]!.execution.settle();
}

async function writeOutput(
  request: BuildRequest,
  session: Session,
  { images, index, attestations }: Outputs,
  output: WrittenOutput,
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  if (output.type === 'rootfs') return writeRoots(session, { images, index }, output.path, deps);
  if (output.type === 'oci') {
    const existed = existsSync(output.path);
    const store = createOciLayoutStore(output.path);
    try {
      for (const one of images) {
        for (const layer of layersOf(one)) await store.put(layerBlobSource(layer), deps.signal);
        await store.put(bytesSource(one.image.config), deps.signal);
        if (index) await store.tag(one.image.manifest, MEDIA_TYPES.ociManifest, undefined, deps.signal);
      }
      const [named, type] = index
        ? [index, MEDIA_TYPES.ociIndex]
        : [images[0]!.image.manifest, MEDIA_TYPES.ociManifest];
      const tags = request.tags.length > 0 ? request.tags : ['latest'];
      for (const tag of tags) await store.tag(named, type, tag, deps.signal);
      await attachAll(store, attestations, deps.signal);
    } catch (error) {
      // To a layout that was there before, a failure only adds blobs that nothing names.
      try {
        if (!existed) removeTree(output.path);
      } catch {
        // What went wrong before is what counts.
      }
      throw error;
    }
    return;
  }
  const [one] = images;
  const archive = { config: one!.image.config, layers: layersOf(one!), tags: request.tags };
  if (output.path === '-') {
    return writeDockerArchive(archive, process.stdout).catch((error: unknown) => {
      throw withoutLayer(error);
    });
  }
  try {
    const { signal } = deps;
    await writeOutputFile(output.path, (out) => writeDockerArchive(archive, out), { signal });
  } catch (error) {
    const { path } = output;
    throw namingOutput(
      path,
      toAppError(error, 'OUTPUT', `cannot write the archive ${path}`, { where: { path } }),
    );
  }
}

async function writeRoots(
  { extract, syscalls }: Session,
  { images, index }: Pick<Outputs, 'images' | 'index'>,
  path: string,
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  const deps = { extract, syscalls: syscalls(), emit, signal };
  if (!index) return writeRootfs(path, layersOf(images[0]!), deps);
  const existed = existsSync(path);
  checkRootfsTarget(path);
  try {
    for (const one of images) {
      const own = join(path, platformDirectory(one.plan.imagePlatform));
      await writeRootfs(own, layersOf(one), deps);
    }
  } catch (error) {
    removeRootfs(path, existed);
    throw error;
  }
}

/** An error that no other attempt can mend: a part of the archive has been sent already. */
function withoutLayer(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const { layer: _, ...where } = error.where ?? {};
  const { code, message, hint, cause } = error;
  return new AppError(code, message, { where, cause, ...(hint === undefined ? {} : { hint }) });
}
