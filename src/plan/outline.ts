import { basename } from 'node:path/posix';
import type { SourceRange } from '../core/error.ts';
import { variablesIn } from '../dockerfile/expand/expand.ts';
import { descriptionOf } from '../dockerfile/lint/descriptions.ts';
import { PREDEFINED_ARGS } from '../dockerfile/predefined-args.ts';
import type { ArgInstruction, Dockerfile } from '../dockerfile/types.ts';
import type { Plan, PlannedStage } from './types.ts';

const PREDEFINED: ReadonlySet<string> = new Set(PREDEFINED_ARGS);

/** A build argument that a target takes. */
export interface OutlineArg {
  readonly name: string;
  readonly description?: string;
  /** With the build arguments that were given; left out where there is none. */
  readonly value?: string;
  readonly range: SourceRange;
}

/** A secret, or an SSH agent, that a target asks for. */
export interface OutlineMount {
  readonly name: string;
  readonly required: boolean;
  readonly range: SourceRange;
}

/** What can be given to the build of a target; each list is in the order of the file. */
export interface Outline {
  /** Of the stage, where it has one. */
  readonly name?: string;
  readonly description?: string;
  readonly args: readonly OutlineArg[];
  readonly secrets: readonly OutlineMount[];
  readonly ssh: readonly OutlineMount[];
}

/** What the target of a plan, which was made only to check, takes: together with the stages that it needs. */
export function outlineOf(dockerfile: Dockerfile, plan: Plan): Outline {
  const stages = [...plan.stages.values()];
  const { from } = dockerfile.stages[plan.target]!;
  const { name } = from;
  const description =
    name === undefined ? undefined : descriptionOf(dockerfile.comments.get(from.range.start.line), name);
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    args: inOrder(argsOf(dockerfile, plan, stages)),
    secrets: inOrder(mountsOf(stages, 'secret')),
    ssh: inOrder(mountsOf(stages, 'ssh')),
  };
}

function argsOf(dockerfile: Dockerfile, plan: Plan, stages: readonly PlannedStage[]): OutlineArg[] {
  const found = new Map<string, OutlineArg>();
  const used = new Set<string>();
  const add = (instruction: ArgInstruction, key: string, value: string | undefined): void => {
    if (found.has(key)) return;
    const description = descriptionOf(dockerfile.comments.get(instruction.range.start.line), key);
    found.set(key, {
      name: key,
      ...(description === undefined ? {} : { description }),
      ...(value ? { value } : {}),
      range: instruction.range,
    });
  };
  for (const { index, instructions, variables } of stages) {
    const { image, platform = '' } = dockerfile.stages[index]!.from;
    for (const name of variablesIn(`${image} ${platform}`, dockerfile.escape)) used.add(name);
    for (const instruction of instructions) {
      if (instruction.kind !== 'arg') continue;
      for (const { key, value } of instruction.args) {
        used.add(key);
        // One without a default has that of the ARG before the first FROM, and is shown there.
        if (value === undefined && plan.globalArgs.has(key)) continue;
        if (value !== undefined || !PREDEFINED.has(key)) add(instruction, key, variables.args.get(key));
      }
    }
  }
  for (const instruction of dockerfile.metaArgs.toReversed()) {
    for (const { key, value = '' } of instruction.args.toReversed()) {
      if (!used.has(key)) continue;
      add(instruction, key, plan.globalArgs.get(key));
      for (const name of variablesIn(value, dockerfile.escape)) used.add(name);
    }
  }
  return [...found.values()];
}

function mountsOf(stages: readonly PlannedStage[], type: 'secret' | 'ssh'): OutlineMount[] {
  const found = new Map<string, OutlineMount>();
  for (const mount of stages.flatMap(({ mounts }) => mounts)) {
    if (mount.type !== type) continue;
    const secret = basename(mount.source ?? mount.target ?? '');
    const name = mount.id ?? (type === 'ssh' ? 'default' : secret);
    if (!found.has(name)) found.set(name, { name, required: mount.required, range: mount.range });
  }
  return [...found.values()];
}

function inOrder<T extends { readonly range: SourceRange }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => a.range.start.line - b.range.start.line);
}
