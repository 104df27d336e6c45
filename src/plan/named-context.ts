import { AppError, type Where } from '../core/error.ts';
import { findStage } from '../dockerfile/graph.ts';
import { DOCKER_HUB, formatReference, parseReference } from '../oci/reference.ts';
import type { Image, Platform } from '../oci/types.ts';
import type { NamedContext, PlanInput } from './inputs.ts';

/**
 * The name by which a named context is found: names of images are compared as Docker shows them, so that `alpine`,
 * `docker.io/library/alpine` and `alpine:latest` are one. Undefined for what cannot be such a name.
 */
export function contextName(text: string): string | undefined {
  try {
    const reference = parseReference(text);
    const full = formatReference(reference);
    const short =
      reference.registry === DOCKER_HUB
        ? full.slice(DOCKER_HUB.length + 1).replace(/^library\/(?=[^/]*$)/, '')
        : full;
    return reference.digest === undefined ? short.replace(/:latest$/, '') : short;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** What is wrong with deferred files where a whole tree is needed at once. */
export function onlyMounts(name: string): string {
  return `the files of ${name} are there only for a RUN that mounts all of them`;
}

/** A context that the caller named, with its normalised name. */
export type FoundContext = NamedContext & { readonly name: string };

/** The named context that stands for a stage's name or an image's. */
export function findContext(
  { contexts }: Pick<PlanInput, 'contexts'>,
  text: string | undefined,
): FoundContext | undefined {
  if (text === undefined || !contexts || contexts.size === 0) return undefined;
  const name = contextName(text);
  const found = name === undefined ? undefined : contexts.get(name);
  return found ? { ...found, name: name! } : undefined;
}

/**
 * The stage that a named context is. It comes before the stage that names it, as with any other stage.
 * @param where what names it
 * @throws AppError DOCKERFILE
 */
export function contextStage(
  { dockerfile }: Pick<PlanInput, 'dockerfile'>,
  context: FoundContext & { readonly type: 'target' },
  stage: number,
  where: Where,
): { readonly type: 'stage'; readonly stage: number } {
  const found = findStage(dockerfile, context.target, stage);
  if (found !== undefined) return { type: 'stage', stage: found };
  const later = findStage(dockerfile, context.target) !== undefined;
  const name = `the context "${context.name}" (target:${context.target})`;
  throw new AppError(
    'DOCKERFILE',
    `${name} is ${later ? 'no earlier stage' : 'no stage of the Dockerfile'}`,
    {
      where,
      hint: later
        ? 'a stage takes files from earlier stages alone'
        : 'name a stage after target:, by its name or number',
    },
  );
}

/** The image that a named context is. @throws AppError as the sources of the plan */
export async function contextImage(
  { sources }: Pick<PlanInput, 'sources'>,
  context: FoundContext & { readonly type: 'image' | 'layout' },
  platform: Platform,
): Promise<Image> {
  if (context.type === 'image') return sources.resolveImage(context.reference, platform);
  if (sources.layoutImage) return sources.layoutImage(context, platform);
  throw new AppError('DOCKERFILE', `the context "${context.name}" is an OCI layout, which is not read here`);
}
