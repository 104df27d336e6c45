import { contextScript, ignoreFile } from './context.ts';
import { copyInstruction } from './copy.ts';
import { configInstructions, declaredArgs, envInstructions, runCommands } from './instruction-tables.ts';
import { createRandom, type Random } from './random.ts';

/** A build that is made up. `@REGISTRY@` and `@HTTP@` in its lines stand for the hosts of the services. */
export interface Generated {
  /** Shell script that fills the empty directory of the context. */
  readonly script: string;
  readonly ignore?: string;
  /** The instructions; one with a heredoc has several lines of text. */
  readonly lines: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
}

const stageNames = ['one', 'Two', 'three'];
const bases = [
  'busybox:1',
  'busybox:1',
  'busybox:zstd',
  'rich:1',
  'onbuild:1',
  'poor:empty',
  'poor:env',
  'poor:relative',
];

/** A build context and a Dockerfile; the same seed always gives the same. */
export function generate(seed: number): Generated {
  const random = createRandom(seed);
  const script = contextScript(random);
  const lines: string[] = [];
  const globalArgs = random.chance(0.4);
  if (globalArgs) lines.push('ARG SRC=b.txt', 'ARG BASE=@REGISTRY@/busybox:1');
  const stages = random.pick([1, 1, 2, 2, 3]);
  for (let stage = 0; stage < stages; stage++) lines.push(...stageLines(random, stage, globalArgs));
  return {
    script,
    lines,
    ...(random.chance(0.4) && { ignore: ignoreFile(random) }),
    buildArgs: {
      ...(random.chance(0.2) && { SRC: 'c.md' }),
      ...(random.chance(0.1) && { FOO: 'fromarg' }),
      ...(random.chance(0.1) && { DST: '/bd/' }),
    },
  };
}

function stageLines(random: Random, stage: number, globalArgs: boolean): string[] {
  const earlier = stageNames.slice(0, stage);
  const base = baseOf(random, earlier, globalArgs);
  const place = { earlier, hasUsers: base.endsWith('/rich:1') };
  const lines = [`FROM ${base} AS ${stageNames[stage]}`];
  for (const arg of declaredArgs) if (random.chance(0.7)) lines.push(arg);
  const steps = 3 + random.int(7);
  for (let step = 0; step < steps; step++) {
    const kind = random.next();
    if (kind < 0.45) lines.push(copyInstruction(random, place));
    else if (kind < 0.63 && base !== 'scratch') lines.push(runInstruction(random));
    else if (kind < 0.75) lines.push(random.pick(envInstructions));
    else lines.push(random.pick(configInstructions));
  }
  return lines;
}

function baseOf(random: Random, earlier: readonly string[], globalArgs: boolean): string {
  if (earlier.length > 0 && random.chance(0.4)) return random.pick(earlier);
  if (globalArgs && random.chance(0.5)) return '$BASE';
  return random.chance(1 / 6) ? 'scratch' : `@REGISTRY@/${random.pick(bases)}`;
}

function runInstruction(random: Random): string {
  if (random.chance(0.83)) return `RUN ${random.pick(runCommands)}`;
  return `RUN <<EOF\n${random.pick(runCommands)}\n${random.pick(runCommands)}\nEOF`;
}
