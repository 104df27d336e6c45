import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { isDigest } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { ownDirectory } from '../../core/own-files.ts';
import type { RuntimeLayer, RuntimeSpec } from '../../index.ts';
import { readOwnFile } from '../../sys/regular-file.ts';
import type { Options } from '../options/table.ts';
import type { CommandName } from '../options/types.ts';

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

function ownRuntime(): RuntimeSpec | undefined {
  const dir = ownDirectory();
  return dir !== undefined && existsSync(join(dir, layerFile('app'))) ? readRuntime(dir) : undefined;
}

function readRuntime(dir: string): RuntimeSpec {
  return { dir, layers: LAYERS.map((name) => readLayer(dir, name)) };
}

function readLayer(dir: string, name: string): RuntimeLayer {
  const path = join(dir, layerFile(name));
  try {
    const bytes = readOwnFile(path);
    return { name, description: bytes, ...v.parse(description, JSON.parse(bytes.toString('utf8'))) };
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
