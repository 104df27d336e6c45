import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { RuntimeLayer, RuntimeSpec } from '../build/runtime.ts';
import { isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { ownDirectory } from '../core/own-files.ts';

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

/** The runtime that we run from; undefined when that is no runtime image. */
export function ownRuntime(): RuntimeSpec | undefined {
  const dir = ownDirectory();
  return dir !== undefined && existsSync(join(dir, layerFile('app'))) ? readRuntime(dir) : undefined;
}

/**
 * The runtime in a directory.
 * @throws AppError USAGE when there is none
 */
export function readRuntime(dir: string): RuntimeSpec {
  return { dir, layers: LAYERS.map((name) => readLayer(dir, name)) };
}

function readLayer(dir: string, name: string): RuntimeLayer {
  const path = join(dir, layerFile(name));
  try {
    const bytes = readFileSync(path);
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
