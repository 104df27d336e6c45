import { contextEdits } from './context-tables.ts';
import { generate } from './generate.ts';
import { modeEdits } from './mount-tables.ts';
import { mountedRun } from './mounts.ts';
import type { Random } from './random.ts';

/** The parts of a build that an edit changes. */
export interface Edited {
  readonly lines: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  /** A command for the context. */
  readonly command?: string;
  /** The edit in words. */
  readonly what: string;
}

const values = ['b.txt', '/q/', '700', 'daemon', 'x'];

/** A random change to a Dockerfile, to build arguments or to a context. */
export function edit(random: Random, lines: readonly string[], buildArgs: Edited['buildArgs']): Edited {
  const kind = random.int(13);
  const at = random.int(lines.length);
  const isStage = (index: number): boolean => lines[index]?.startsWith('FROM') ?? true;
  if (kind === 0 && !isStage(at))
    return { lines: lines.toSpliced(at, 1), buildArgs, what: `without ${lines[at]}` };
  if (kind === 1) {
    const added = random.pick(
      withoutGit(generate(random.int(1e6)).lines).filter((line) => !/^FROM/.test(line)),
    );
    const first = 1 + lines.findIndex((line) => line.startsWith('FROM'));
    return { lines: lines.toSpliced(Math.max(first, at), 0, added), buildArgs, what: `with ${added}` };
  }
  if (kind === 2) {
    const more = { [random.pick(['SRC', 'FOO', 'DST', 'MOD', 'OWN'])]: random.pick(values) };
    return { lines, buildArgs: { ...buildArgs, ...more }, what: `argument ${JSON.stringify(more)}` };
  }
  if (kind === 3 && !isStage(at) && !isStage(at + 1))
    return { lines: lines.toSpliced(at, 2, lines[at + 1]!, lines[at]!), buildArgs, what: `swap after ${at}` };
  if (kind === 9 && !isStage(at)) {
    const added = mountedRun(random, []);
    return { lines: lines.toSpliced(at, 0, added), buildArgs, what: `with ${added}` };
  }
  if (kind > 9) {
    const command = random.pick(modeEdits);
    return { lines, buildArgs, command, what: command };
  }
  const command = random.pick(contextEdits).replace('@NUMBER@', String(random.int(1e6)));
  return { lines, buildArgs, command, what: command };
}

/** Lines that take nothing from a git repository, whose files have the time of their checkout. */
export function withoutGit(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !line.includes('/git/'));
}
