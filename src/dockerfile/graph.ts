import { AppError, type Where } from '../core/error.ts';
import { nearest } from '../core/suggest.ts';
import type { Dockerfile, Instruction } from './types.ts';

type Stages = Pick<Dockerfile, 'stages'>;

/** What a FROM, a `COPY --from` or a mount's `from` names. */
export type StageSource =
  | { readonly type: 'stage'; readonly stage: number }
  | { readonly type: 'image'; readonly image: string }
  | { readonly type: 'scratch' };

/**
 * The index of the stage with a name (in any case) or number. Of stages that share a name it is the last one.
 * @param before only stages with a lower index are looked at
 */
export function findStage(
  dockerfile: Stages,
  name: string,
  before = Number.POSITIVE_INFINITY,
): number | undefined {
  const lower = name.toLowerCase();
  const named = dockerfile.stages.findLast(({ index, from }) => index < before && from.name === lower);
  if (named) return named.index;
  const index = /^\d+$/.test(name) ? Number(name) : Number.NaN;
  return index < Math.min(before, dockerfile.stages.length) ? index : undefined;
}

/**
 * The stage to build: the last one, or the one with the name or number given.
 * @throws AppError DOCKERFILE when there is none, with the names of all
 */
export function resolveTarget(dockerfile: Dockerfile, target?: string): number {
  if (target === undefined || target === '') return dockerfile.stages.length - 1;
  const found = findStage(dockerfile, target);
  if (found !== undefined) return found;
  const names = dockerfile.stages.flatMap(({ from }) => from.name ?? []);
  const match = nearest(target, names);
  const all = names.length === 0 ? 'no stage has a name' : `the stages are ${names.join(', ')}`;
  throw new AppError('DOCKERFILE', `${dockerfile.file} has no stage ${target}`, {
    hint: match === undefined ? all : `did you mean ${match}? (${all})`,
  });
}

/**
 * What a stage's FROM names, `image` being expanded: an earlier stage by its name, scratch, or an image. Names of stages
 * are in lower case here, whatever AS says, so that FROM with an upper-case letter names an image, as under Docker.
 */
export function resolveBase(dockerfile: Stages, stage: number, image: string): StageSource {
  const found = dockerfile.stages.findLast(({ index, from }) => index < stage && from.name === image);
  if (found) return { type: 'stage', stage: found.index };
  return image === 'scratch' ? { type: 'scratch' } : { type: 'image', image };
}

/**
 * What `from` in an instruction of a stage names: an earlier stage by name or number, scratch, or an image.
 * @param where the instruction, for errors
 * @throws AppError DOCKERFILE for the stage itself, a later one, and a number that no stage has
 */
export function resolveFrom(dockerfile: Dockerfile, stage: number, from: string, where: Where): StageSource {
  const found = findStage(dockerfile, from, stage) ?? findStage(dockerfile, from);
  const refuse = (message: string, hint: string): never => {
    throw new AppError('DOCKERFILE', message, { where, hint });
  };
  if (found === undefined) {
    if (/^\d+$/.test(from)) {
      const last = dockerfile.stages.length - 1;
      return refuse(`there is no stage ${from}`, `stages are numbered from 0 to ${last}`);
    }
    return from.toLowerCase() === 'scratch' ? { type: 'scratch' } : { type: 'image', image: from };
  }
  if (found === stage) refuse(`stage ${from} takes files from itself`, 'name an earlier stage or an image');
  if (found > stage) {
    const current = dockerfile.stages[stage]!.from.name ?? stage;
    refuse(`stage ${from} comes after stage ${current}, which takes files from it`, `move ${from} above it`);
  }
  return { type: 'stage', stage: found };
}

/** What an instruction's `--from` and mounts name, in order; see resolveFrom for the errors. */
function sourcesOf(
  dockerfile: Dockerfile,
  stage: number,
  instruction: Instruction,
  where: Where,
): StageSource[] {
  const names =
    instruction.kind === 'copy'
      ? [instruction.from]
      : instruction.kind === 'run'
        ? instruction.mounts.map(({ from }) => from)
        : [];
  return names.flatMap((from) => (from === undefined ? [] : resolveFrom(dockerfile, stage, from, where)));
}

/**
 * The stages that a target needs, itself included, in order.
 * @param images the expanded image of every stage's FROM, by stage index
 * @throws AppError DOCKERFILE for a stage that takes files from itself or a later one
 */
export function reachableStages(dockerfile: Dockerfile, target: number, images: readonly string[]): number[] {
  const reached = new Set<number>();
  const visit = (index: number): void => {
    if (reached.has(index)) return;
    reached.add(index);
    const stage = dockerfile.stages[index]!;
    const sources = [resolveBase(dockerfile, index, images[index] ?? stage.from.image)];
    for (const instruction of stage.instructions) {
      const { range } = instruction;
      const sourceLine = dockerfile.lines[range.start.line - 1];
      const where = sourceLine === undefined ? { range } : { range, sourceLine };
      sources.push(...sourcesOf(dockerfile, index, instruction, where));
    }
    for (const source of sources) if (source.type === 'stage') visit(source.stage);
  };
  visit(target);
  return [...reached].sort((a, b) => a - b);
}
