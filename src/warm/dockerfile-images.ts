import { dirname } from 'node:path';
import { type FoundDockerfile, readDockerfileText } from '../context/dockerfile-text.ts';
import { definitionRoots } from '../context/repository.ts';
import { AppError, toAppError } from '../core/error.ts';
import { withoutFiles, withoutTriggers } from '../devcontainer/inspect-target.ts';
import { resolveFrom } from '../dockerfile/graph.ts';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import type { Dockerfile } from '../dockerfile/types.ts';
import { defaultPlatform } from '../oci/platform.ts';
import type { Image, Platform } from '../oci/types.ts';
import { plan } from '../plan/plan.ts';

/**
 * Names every image that a build of a Dockerfile may read, whatever its target: bases of stages with build arguments put
 * in, images of COPY --from and of mounts.
 * @param visit told of each; what it gives back is read for what the next instructions mean
 * @throws AppError DOCKERFILE at the place in the file, and what `visit` throws
 */
export async function visitImages(
  { path, content }: FoundDockerfile,
  buildArgs: ReadonlyMap<string, string>,
  platform: Platform,
  visit: (name: string, platform: Platform) => Promise<Image>,
): Promise<void> {
  const dockerfile = parseDockerfile(content, path);
  const nothing = (): never => {
    throw new AppError('INTERNAL', 'an instruction without files asked for files');
  };
  const stripped = withoutFiles(dockerfile);
  for (const stage of dockerfile.stages) {
    await plan({
      dockerfile: stripped,
      target: String(stage.index),
      buildArgs,
      platform,
      buildPlatform: defaultPlatform(),
      mtime: 'keep',
      sources: {
        resolveImage: async (name, wanted) => withoutTriggers(await visit(name, wanted)),
        context: async () => nothing(),
        url: async () => nothing(),
        gitCommit: async () => nothing(),
      },
    });
  }
  for (const name of sourceImages(dockerfile)) await visit(name, platform);
}

function sourceImages(dockerfile: Dockerfile): ReadonlySet<string> {
  const names = new Set<string>();
  for (const stage of dockerfile.stages) {
    for (const instruction of stage.instructions) {
      const froms =
        instruction.kind === 'copy'
          ? [instruction.from]
          : instruction.kind === 'run'
            ? instruction.mounts.map((mount) => mount.from)
            : [];
      for (const from of froms) {
        // A variable in a mount's source is only known in the build.
        if (from === undefined || from.includes('$')) continue;
        const source = resolveFrom(dockerfile, stage.index, from, { range: instruction.range });
        if (source.type === 'image') names.add(source.image);
      }
    }
  }
  return names;
}

/**
 * A Dockerfile of this machine.
 * @throws AppError DOCKERFILE, OUTSIDE
 */
export function readDockerfile(path: string, allowed: readonly string[]): FoundDockerfile {
  const roots = definitionRoots(dirname(path), allowed);
  try {
    return readDockerfileText(path, roots);
  } catch (error) {
    throw toAppError(error, 'DOCKERFILE', `cannot read the Dockerfile ${path}`, { where: { path } });
  }
}
