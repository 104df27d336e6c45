import type { NamedContext } from '../builder/types.ts';
import { AppError } from '../core/error.ts';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import type { Dockerfile, Stage } from '../dockerfile/types.ts';
import { defaultPlatform } from '../oci/platform.ts';
import type { ContainerConfig, Image, Platform } from '../oci/types.ts';
import { plan } from '../plan/plan.ts';

/** A Dockerfile that is about to be built. */
export interface Target {
  readonly text: string;
  readonly file: string;
  readonly target?: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly contexts: ReadonlyMap<string, NamedContext>;
  readonly platform: Platform;
}

/**
 * The execution config of the image that a Dockerfile makes (user, environment, labels), before anything is built. Only
 * manifests and configs of base images are read.
 * @throws AppError DOCKERFILE, REFERENCE, REGISTRY, AUTH at the instruction
 */
export async function inspectTarget(
  { text, file, target, buildArgs, contexts, platform }: Target,
  resolveImage: (name: string, platform: Platform) => Promise<Image>,
): Promise<ContainerConfig> {
  const nothing = (): never => {
    throw new AppError('INTERNAL', 'an instruction without files asked for files');
  };
  const planned = await plan({
    dockerfile: withoutFiles(parseDockerfile(Buffer.from(text), file)),
    ...(target === undefined ? {} : { target }),
    buildArgs,
    contexts,
    platform,
    buildPlatform: defaultPlatform(),
    mtime: 'keep',
    sources: {
      resolveImage: async (name, wanted) => withoutTriggers(await resolveImage(name, wanted)),
      context: async () => nothing(),
      url: async () => nothing(),
      gitCommit: async () => nothing(),
    },
  });
  return planned.stages.get(planned.target)!.config;
}

/** Instructions that make files say nothing about the config, and would ask for the context and other stages. */
export function withoutFiles(dockerfile: Dockerfile): Dockerfile {
  const strip = (stage: Stage): Stage => ({
    ...stage,
    instructions: stage.instructions.filter(
      ({ kind }) => kind !== 'run' && kind !== 'copy' && kind !== 'add',
    ),
  });
  return { ...dockerfile, stages: dockerfile.stages.map(strip) };
}

/** The image without ONBUILD triggers of such instructions. */
export function withoutTriggers(image: Image): Image {
  const { config } = image.config;
  if (!config?.OnBuild?.length) return image;
  const kept = config.OnBuild.filter((trigger) => !/^\s*(run|copy|add)\s/i.test(trigger));
  return { ...image, config: { ...image.config, config: { ...config, OnBuild: kept } } };
}
