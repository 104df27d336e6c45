import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { LayerRef } from '../../cache/types.ts';
import { AppError, toAppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { writeDockerArchive } from '../../oci/docker-archive.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { createOciLayoutStore } from '../../oci/oci-layout.ts';
import { writeOutputFile } from '../../sys/output-file.ts';
import { layerBlobSource } from '../publishing/layer-blobs.ts';
import type { PushableImage } from '../publishing/push-image.ts';
import type { Session } from '../session.ts';
import type { BuildRequest, OutputSpec } from '../types.ts';
import { removeRootfs, writeRootfs } from './rootfs-output.ts';

type WrittenOutput = Exclude<OutputSpec, { readonly type: 'inplace' }>;

/** A built image with the chain of its own layers. */
export interface OutputImage extends PushableImage {
  readonly chain: readonly LayerRef[];
}

/** Writes every output that was asked for; each appears whole or not at all. */
export async function writeOutputs(
  request: BuildRequest,
  session: Session,
  built: OutputImage,
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  const layers = [...built.execution.baseBlobs(), ...built.chain.map(built.execution.blob)];
  const roots: { readonly path: string; readonly existed: boolean }[] = [];
  try {
    for (const output of request.outputs) {
      if (output.type === 'inplace') continue;
      const existed = existsSync(output.path);
      await writeOutput(request, session, built, layers, output, deps);
      if (output.type === 'rootfs') roots.push({ path: output.path, existed });
    }
  } catch (error) {
    // Another attempt may have other files, and a root file system is never written over another.
    for (const { path, existed } of roots) removeRootfs(path, existed);
    throw error;
  }
  if (request.outputs.some(({ type }) => type === 'inplace')) await built.execution.settle();
}

async function writeOutput(
  request: BuildRequest,
  session: Session,
  { image }: OutputImage,
  layers: readonly LayerBlob[],
  output: WrittenOutput,
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  if (output.type === 'rootfs')
    return writeRootfs(output.path, layers, {
      extract: session.extract,
      syscalls: session.syscalls(),
      ...deps,
    });
  if (output.type === 'oci') {
    const existed = existsSync(output.path);
    const store = createOciLayoutStore(output.path);
    try {
      for (const layer of layers) await store.put(layerBlobSource(layer), deps.signal);
      await store.put(bytesSource(image.config), deps.signal);
      const tags = request.tags.length > 0 ? request.tags : ['latest'];
      for (const tag of tags) await store.tag(image.manifest, MEDIA_TYPES.ociManifest, tag, deps.signal);
    } catch (error) {
      // To a layout that was there before, a failure only adds blobs that nothing names.
      if (!existed) await rm(output.path, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
    return;
  }
  const archive = { config: image.config, layers, tags: request.tags };
  if (output.path === '-') {
    return writeDockerArchive(archive, process.stdout).catch((error: unknown) => {
      throw withoutLayer(error);
    });
  }
  try {
    const { signal } = deps;
    await writeOutputFile(output.path, (out) => writeDockerArchive(archive, out), { signal });
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot write the archive ${output.path}`, {
      where: { path: output.path },
    });
  }
}

/** An error that no other attempt can mend: a part of the archive has been sent already. */
function withoutLayer(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const { layer: _, ...where } = error.where ?? {};
  const { code, message, hint, cause } = error;
  return new AppError(code, message, { where, cause, ...(hint === undefined ? {} : { hint }) });
}
