import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Services } from '../../scripts/lib/services.ts';
import { createOwnContainer, unpackRuntimeImage } from '../support/own-container.ts';
import { volumePlaces } from './mount-tables.ts';
import type { Random } from './random.ts';

/** Builds in a container where volumes lie, and other paths are kept, that RUN and COPY write to. */
export interface VolumeBuilds {
  /** What was wrong, if it was not the Dockerfile's fault; what came out of the build is for nobody to see. */
  build(random: Random, args: readonly string[]): Promise<string | undefined>;
}

let image: Promise<string> | undefined;

function unpackOnce(services: Services): Promise<string> {
  image ??= unpackRuntimeImage(services.registry).then((dir) => {
    process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
    return dir;
  });
  return image;
}

/** The first build takes the time of making the runtime image. */
export function createVolumeBuilds(services: Services): VolumeBuilds {
  return {
    build: async (random, args) => {
      const container = createOwnContainer(await unpackOnce(services), services.dir);
      const places = [random.pick(volumePlaces), random.pick(volumePlaces)];
      const mount = places.map(
        (place) =>
          `mkdir -p "$root${place}"; mount -t tmpfs tmpfs "$root${place}"; echo v > "$root${place}/volume"`,
      );
      container.prepare(`${mount.join('\n')}\n`);
      try {
        const keep = random.chance(0.5) ? [random.pick(volumePlaces)] : [];
        const { error, output } = await container.build({ args, keep });
        if (error === undefined || !['', 'INTERNAL'].includes(error.code)) return undefined;
        return `volumes at ${places.join(' and ')}, kept ${keep.join()}\n${error.stack}\n${output}`;
      } finally {
        container.close();
      }
    },
  };
}

/** The arguments of a build with a directory as cache that other builds use too. */
export function cacheArguments(dir: string): string[] {
  return [`--layer-cache-dir=${join(dir, 'cache')}`];
}
