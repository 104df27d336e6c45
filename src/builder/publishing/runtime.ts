import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerRef } from '../../cache/types.ts';
import { AppError } from '../../core/error.ts';
import type { CompressPool } from '../../layer/compress-pool.ts';
import { createFileLayerWriter } from '../../layer/file-layer-writer.ts';
import { addTree, type FixedFile, fixedEntry } from '../../layer/fixed-tree.ts';
import { createLayerWriter } from '../../layer/layer-writer.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { canonicalJson } from '../../oci/canonical-json.ts';
import { iteratedReadable } from '../../oci/readable.ts';
import type { BlobSource, ContainerConfig } from '../../oci/types.ts';
import { createGrowingFile, type GrowingFile } from './growing-file.ts';

/** Where the runtime lies in an image. */
const OWN = '.envbuilder';
const MAGIC_VERSION = 1;

/** A layer of the runtime: its files, and what it is when they are put into a layer. */
export interface RuntimeLayer {
  /** For the history of images. */
  readonly name: string;
  readonly files: readonly FixedFile[];
  readonly layer: LayerRef;
  /** The description itself, as it lies in `app/layer-<name>.json`. */
  readonly description: Buffer;
}

/** What makes an image start by itself: our own files, as the runtime image has them. */
export interface RuntimeSpec {
  /** The directory with the files: `/.envbuilder` in the runtime image. */
  readonly dir: string;
  readonly layers: readonly RuntimeLayer[];
  /** Goes into the magic image file, for the start; the same in a build and its probe, and no secret. */
  readonly start?: unknown;
}

/** What a layer is made with; both are made when they are first asked for. A Session has them. */
interface LayerTools {
  readonly workDir: () => string;
  readonly pool: () => CompressPool;
}

interface RuntimeSource {
  /**
   * Its bytes; made when they are first asked for, and read while they are made. The last of them comes only when all
   * are right.
   * @param stop ends the making
   */
  readonly source: (session: LayerTools, stop?: AbortSignal) => BlobSource;
  /** Waits until nothing is being made. */
  readonly idle: () => Promise<void>;
}

/** The layers that are put on top of an image, lowest first. */
export interface PreparedRuntime {
  readonly layers: readonly (RuntimeSource & {
    readonly createdBy: string;
    readonly layer: LayerRef;
  })[];
}

/**
 * The layers of the runtime and the one of the magic image file, for an image with this config. A pure function of its
 * arguments: a probe comes to the same digests as the build that pushed the image.
 */
export async function prepareRuntime(
  spec: RuntimeSpec,
  config: ContainerConfig | undefined,
): Promise<PreparedRuntime> {
  const own = spec.layers.map((one) => ({
    createdBy: `envbuilder ${one.name}`,
    layer: one.layer,
    ...treeSource(spec.dir, one),
  }));
  const magic = await magicLayer(spec, config ?? {});
  const last = {
    createdBy: 'envbuilder image',
    layer: magic.layer,
    source: () => bytesSource(magic.bytes),
    idle: async () => {},
  };
  return { layers: [...own, last] };
}

/** The config of an image that starts with us: root in /, whatever the image itself says, which the magic file keeps. */
export function runtimeConfig(config: ContainerConfig | undefined): ContainerConfig {
  const { Cmd, OnBuild, ...kept } = config ?? {};
  const env = (config?.Env ?? []).filter((line) => !line.startsWith('KANIKO_DIR='));
  return {
    ...kept,
    // By number, since the image may have no /etc/passwd.
    User: '0:0',
    Env: [...env, `KANIKO_DIR=/${OWN}`],
    WorkingDir: '/',
    Entrypoint: [`/${OWN}/bin/envbuilder`],
  };
}

/** The magic image file, and what a container of the image needs to push images in its turn. */
async function magicLayer(
  { layers, start = {} }: RuntimeSpec,
  config: ContainerConfig,
): Promise<{ layer: LayerRef; bytes: Buffer }> {
  const image = canonicalJson({ version: MAGIC_VERSION, config, start });
  const files: [string, Buffer][] = [
    ...layers.map(({ name, description }): [string, Buffer] => [`app/layer-${name}.json`, description]),
    ['image', image],
  ];
  const parts: Buffer[] = [];
  const writer = createLayerWriter({ compression: 'zstd', sink: (chunk) => void parts.push(chunk) });
  const directory = { type: 'dir', mode: 0o755, size: 0, linkname: '' } as const;
  for (const path of [OWN, `${OWN}/app`]) await writer.add(fixedEntry(path, directory));
  for (const [path, bytes] of files) {
    const file = { type: 'file', mode: 0o644, size: bytes.length, linkname: '' } as const;
    await writer.add(fixedEntry(`${OWN}/${path}`, file), [bytes]);
  }
  const { mediaType, digest, size, diffId } = await writer.finish();
  return { layer: { mediaType, digest, size, diffId }, bytes: Buffer.concat(parts) };
}

/** The layer as a blob that can be read while it is made; made once, however often and from where it is read. */
function treeSource(dir: string, { name, files, layer }: RuntimeLayer): RuntimeSource {
  let making: Promise<void> | undefined;
  let growing: GrowingFile | undefined;
  const start = (session: LayerTools, signal: AbortSignal | undefined): GrowingFile => {
    const path = join(session.workDir(), `runtime-${name}-${process.hrtime.bigint()}`);
    const file = createGrowingFile(path, layer.size);
    making = make(path, file, session, signal).then(file.complete, file.fail);
    return file;
  };
  const make = async (
    path: string,
    { grew }: GrowingFile,
    session: LayerTools,
    signal: AbortSignal | undefined,
  ): Promise<void> => {
    const writer = createFileLayerWriter(path, {
      compression: 'zstd',
      pool: session.pool(),
      diffId: layer.diffId,
      onWrite: grew,
    });
    try {
      await addTree(writer.add, dir, OWN, files, signal);
    } catch (error) {
      writer.abandon();
      throw error;
    }
    const { digest } = await writer.finish();
    if (digest === layer.digest) return;
    rmSync(path, { force: true });
    throw new AppError('PUSH_FAILED', `the files below ${dir} are not those of this envbuilder any more`, {
      hint: 'start a new container; nothing of ours may be changed in a container that pushes images',
      where: { path: dir },
    });
  };
  return {
    source: (session, stop) => ({
      digest: layer.digest,
      size: layer.size,
      open: (offset = 0) =>
        iteratedReadable((signal) => {
          growing ??= start(session, stop);
          return growing.read(offset, signal);
        }),
    }),
    idle: async () => making,
  };
}
