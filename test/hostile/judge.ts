import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES } from '../../src/core/error.ts';
import { MARK } from './canary.ts';
import type { Field, Plot } from './plot.ts';
import type { RunResult } from './run.ts';
import type { Must } from './types.ts';
import type { Attempt } from './ways/way.ts';

/** What came of an input by one way. */
export interface Verdict {
  /** `built`, `hit`, `miss`, or `refused CODE`. */
  readonly outcome: string;
  /** What is wrong with it; empty when the input did no harm. */
  readonly problems: readonly string[];
}

/** What any run may cost. */
const MOST_CPU_SECONDS = 20;
const MOST_MIB = 400;

/** What a start says that goes on with its fallback image. */
const FELL_BACK = /; using the fallback image /;

/** What is said of a run, whatever its input was. */
export function judge(
  run: RunResult,
  attempt: Attempt,
  must: Must,
  field: Field,
  plot: Plot,
  cached: boolean,
): Verdict {
  const output = `${run.stdout}\n${run.stderr}`;
  const problems: string[] = [];
  const wrong = (when: boolean, text: string): void => void (when && problems.push(text));
  wrong(run.hung, 'it hangs');
  wrong(run.code === 1 || /defect in envbuilder/.test(output), 'INTERNAL');
  wrong(/unsettled top-level await/i.test(output), 'the event loop ran empty');
  wrong(/\n\s+at .*\.[jt]s:\d+/.test(output), 'a stack trace');
  wrong(run.code > 128 && !run.hung, `it ended by ${run.code - 128}`);
  wrong(run.cpuSeconds > MOST_CPU_SECONDS, `${run.cpuSeconds.toFixed(1)} s of processor time`);
  wrong(run.peakMiB > MOST_MIB, `${Math.round(run.peakMiB)} MiB`);
  for (const change of field.canary.changes()) problems.push(`escape: ${change}`);
  for (const path of strays(field, plot)) problems.push(`escape: ${path} was made`);
  for (const change of attempt.changes?.() ?? []) problems.push(`escape: ${change}`);
  wrong(output.includes(MARK), 'a file of the host is printed');
  wrong(mountsBelow(plot.dir).length > 0, `mounts are left: ${mountsBelow(plot.dir).join()}`);
  const rootfs = attempt.rootfs ?? plot.rootfs;
  const fellBack = run.code === 0 && attempt.fallback !== undefined && FELL_BACK.test(output);
  if (fellBack) {
    wrong(must === 'build', 'Docker builds it');
    wrong(!attempt.prints?.test(run.stdout), 'exit 0 without its answer');
    wrong(!isThere(join(rootfs, attempt.fallback)), 'the fallback image is not there');
  } else if (run.code === 0) {
    wrong(
      attempt.prints === undefined && !/^sha256:[0-9a-f]{64}$/m.test(run.stdout),
      'exit 0 without a digest',
    );
    wrong(attempt.prints !== undefined && !attempt.prints.test(run.stdout), 'exit 0 without its answer');
    wrong(attempt.prints === undefined && !existsSync(rootfs), 'exit 0 without a result');
    wrong(
      attempt.result !== undefined && !isThere(join(rootfs, attempt.result)),
      `exit 0 without /${attempt.result}`,
    );
    const outcome = outcomeOf(run, output, cached);
    wrong(must === 'refuse' && outcome !== 'miss', cached ? 'it should be a miss' : 'it should be refused');
    wrong(attempt.hits === true && must === 'build' && outcome === 'miss', 'it should be a hit');
    wrong(outcome === 'miss' && !isThere(join(rootfs, 'probe-a')), 'a miss that built nothing');
  } else if (run.code !== 1 && !run.hung) {
    wrong(must === 'build', 'Docker builds it');
    wrong(!attempt.refusals.includes(run.code), `exit ${run.code}`);
  }
  return { outcome: outcomeOf(run, output, cached), problems };
}

function outcomeOf({ code, hung }: RunResult, output: string, cached: boolean): string {
  if (hung) return 'hangs';
  if (code !== 0) {
    const name = Object.entries(EXIT_CODES).find(([, { exit }]) => exit === code)?.[0] ?? `exit ${code}`;
    return `refused ${name}`;
  }
  if (FELL_BACK.test(output)) return 'fell back';
  if (!cached) return 'built';
  return / [1-9]\d* (came )?from the cache/.test(output) ? 'hit' : 'miss';
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What a run, or the way into it, makes beside its context. */
const OWN = [
  ...[
    'context',
    'rootfs',
    'work',
    'state',
    'home',
    'cache',
    'bases',
    'container',
    'warm',
    'workspace',
    'origin',
    'origin.git',
  ],
  ...['Dockerfile.compared', 'layout', 'saved'],
];

/** What lies between a context and the canary, and should not. */
function strays(field: Field, plot: Plot): readonly string[] {
  const others = (dir: string, own: (name: string) => boolean): readonly string[] =>
    readdirSync(dir)
      .filter((name) => !own(name))
      .map((name) => join(dir, name));
  return [
    ...others(plot.dir, (name) => OWN.includes(name)),
    ...others(join(field.dir, 'a'), (name) => name === 'b'),
    ...others(join(field.dir, 'a/b'), (name) => name === 'runs'),
    ...others(join(field.dir, 'a/b/runs'), (name) => join(field.dir, 'a/b/runs', name) === plot.dir),
  ];
}

function mountsBelow(dir: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${dir}/`));
}
