import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { isDigest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { ownDirectory } from '../../core/own-files.ts';
import { parsePlatform, type RuntimeLayer, type RuntimeSpec, readRuntimeImage } from '../../index.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import type { Parsed } from '../options/parse.ts';
import type { Options } from '../options/table.ts';
import type { CommandName } from '../options/types.ts';
import type { CommandContext } from '../run-context.ts';
import { onePlatform } from './platforms.ts';
import { registrySettings } from './registries.ts';

/** The layers of the runtime image, lowest first; each is described by a file. */
const LAYERS = ['tools', 'app'];

const digest = v.custom<`sha256:${string}`>((value) => typeof value === 'string' && isDigest(value));
const description = v.object({
  files: v.array(
    v.object({
      path: v.string(),
      type: v.picklist(['file', 'dir', 'symlink']),
      mode: v.number(),
      size: v.number(),
      linkname: v.string(),
    }),
  ),
  layer: v.object({ mediaType: v.string(), digest, size: v.number(), diffId: digest }),
});

/**
 * The runtime for images that a command pushes or asks for: a start's is the one that we run from, where that is a runtime
 * image; other commands only have one when they are told.
 * @throws AppError USAGE when --runtime-dir names none, or --compression contradicts it
 */
export function chosenRuntime(command: CommandName, options: Options, cwd: string): RuntimeSpec | undefined {
  const given = options['runtime-dir'];
  if (given === undefined) return command === 'start' ? ownRuntime() : undefined;
  if (options.compression !== 'gzip') return readRuntime(resolve(cwd, given));
  throw new AppError(
    'USAGE',
    'the runtime of --runtime-dir is compressed by zstd, and --compression is gzip',
    {
      hint: 'leave one of them out',
    },
  );
}

/**
 * The runtime of `--runtime-image`, enough of it for a probe; undefined without the option.
 * @throws AppError USAGE where another option contradicts it, or it is no runtime image; REFERENCE, REGISTRY, AUTH
 */
export async function runtimeOfImage(
  { options }: Pick<Parsed, 'options'>,
  { env, signal }: Pick<CommandContext, 'env' | 'signal'>,
  emit: Emit,
): Promise<RuntimeSpec | undefined> {
  const image = options['runtime-image'];
  if (!image) return undefined;
  const clash =
    options['runtime-dir'] === undefined
      ? options['push-image']
        ? '--push-image'
        : undefined
      : '--runtime-dir';
  if (clash !== undefined) {
    throw new AppError('USAGE', `--runtime-image and ${clash} do not go together`, {
      hint: 'an image is pushed with the files of a runtime, which --runtime-dir names',
    });
  }
  const { platform } = onePlatform(options, 'an image that starts by itself');
  const descriptions = await readRuntimeImage(image, LAYERS, {
    registries: registrySettings(options, env),
    onEvent: emit,
    signal,
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
  });
  try {
    return { dir: '', layers: LAYERS.map((name) => layerOf(name, descriptions.get(name)!)) };
  } catch (cause) {
    throw new AppError('USAGE', `${image} describes its layers in a way that is not known here`, {
      cause,
      hint: 'use the envbuilder of the same version as the image',
    });
  }
}

function ownRuntime(): RuntimeSpec | undefined {
  const dir = ownDirectory();
  return dir !== undefined && existsSync(join(dir, layerFile('app'))) ? readRuntime(dir) : undefined;
}

function readRuntime(dir: string): RuntimeSpec {
  return { dir, layers: LAYERS.map((name) => readLayer(dir, name)) };
}

function layerOf(name: string, bytes: Buffer): RuntimeLayer {
  return { name, description: bytes, ...v.parse(description, JSON.parse(bytes.toString('utf8'))) };
}

function readLayer(dir: string, name: string): RuntimeLayer {
  const path = join(dir, layerFile(name));
  try {
    return layerOf(name, readOwnFile(path));
  } catch (cause) {
    throw new AppError('USAGE', `there is no runtime in ${dir}`, {
      cause,
      where: { path },
      hint: 'name the /.envbuilder directory of a runtime image',
    });
  }
}

function layerFile(name: string): string {
  return `app/layer-${name}.json`;
}
