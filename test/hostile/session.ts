import { rmSync } from 'node:fs';
import { bundledProgram } from '../../scripts/lib/bundled-program.ts';
import { temporaryDir } from '../../scripts/lib/cache-dir.ts';
import type { DockerEngine } from '../../scripts/lib/docker-engine.ts';
import { EXIT_CODES } from '../../src/core/error.ts';
import { projectRoot } from '../support/envbuilder.ts';
import { startGitHttpServer } from '../support/git-http-server.ts';
import { unpackRuntimeImage } from '../support/own-container.ts';
import { askDocker, compareTrees } from './docker.ts';
import { type Form, forms } from './forms.ts';
import { publish } from './images.ts';
import { judge, type Verdict } from './judge.ts';
import { createField, type Field, type Plot } from './plot.ts';
import { baselineOf } from './records.ts';
import { startHostileRegistry } from './registry.ts';
import { type RunResult, runHostile } from './run.ts';
import { NOT_DOCKER } from './sparse-size.ts';
import type { Kind } from './types.ts';
import { type Attempt, build, busyboxImage, type Fixtures, type WayIn } from './ways/way.ts';

/** One input and one way. */
export interface Pair {
  readonly form: string;
  readonly kind: Kind<unknown>;
  readonly way: WayIn<unknown>;
  readonly name: string;
}

/** What was found of one. */
export interface Finding extends Verdict {
  readonly pair: Pair;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  readonly output: string;
}

/** A place where hostile inputs are tried, one at a time in each field. */
export interface Session {
  readonly fixtures: Fixtures;
  try(pair: Pair): Promise<Finding>;
  /** Tries all of them, some at the same time. */
  tryAll(pairs: Iterable<Pair>, each: (finding: Finding) => void): Promise<void>;
  close(): Promise<void>;
}

/** Every input by every way that takes it. */
export function allPairs(wanted: readonly Form<unknown>[] = forms): readonly Pair[] {
  return wanted.flatMap(({ name: form, kinds, ways }) =>
    kinds.flatMap((kind) =>
      ways
        .filter((way) => way.takes?.(kind) !== false)
        .map((way) => ({ form, kind, way, name: `${form}/${kind.name}/${way.name}` })),
    ),
  );
}

/** The same, of ways that share a reader one for each kind, in turn. */
export function inTurn(pairs: readonly Pair[]): readonly Pair[] {
  const kinds = Map.groupBy(pairs, ({ form, kind }) => `${form}/${kind.name}`);
  return [...kinds.values()].flatMap((own, at) => {
    const readers = Map.groupBy(own, ({ way }) => way.reader ?? way.name);
    return [...readers.values()].map((ways) => ways[at % ways.length]!);
  });
}

export interface SessionOptions {
  /** Fields, and so runs, at the same time. */
  readonly parallel: number;
  /** As in `runHostile`. */
  readonly idleMs?: number;
  /** Unpacks the runtime image, for ways that are starts. */
  readonly starts?: boolean;
  /** Is given whatever it can take as well; what it makes of it is what we must make of it. */
  readonly engine?: DockerEngine;
}

/** Opens one, with an honest build as the source of records. */
export async function openSession({
  parallel,
  idleMs,
  engine,
  starts = false,
}: SessionOptions): Promise<Session> {
  const runtimeImage = starts ? await unpackRuntimeImage(undefined) : undefined;
  const registry = await startHostileRegistry();
  const compiled = temporaryDir('hostile-node');
  const program = [await bundledProgram(projectRoot)];
  const fields = Array.from({ length: parallel }, () => createField(registry, compiled, program));
  const free = [...fields];
  const busybox = registry.repository('base/busybox');
  publish(busybox, busyboxImage());
  const plot = fields[0]!.plot();
  plot.write({ 'context/Dockerfile': 'FROM scratch\nCOPY a /probe-a\n', 'context/a': 'hi\n' });
  const { code, stderr } = await runHostile({
    args: build(plot, `--cache-repo=${plot.repository.reference}`),
    cwd: plot.dir,
    env: plot.env,
    program: plot.program,
  });
  if (code !== 0) throw new Error(`the honest build failed:\n${stderr}`);
  const root = temporaryDir('hostile-git');
  const git = await startGitHttpServer({ root });
  const fixtures: Fixtures = {
    baseline: baselineOf(plot.repository),
    busybox: `${busybox.reference}:1`,
    gitServer: { root, origin: git.origin },
    ...(runtimeImage === undefined ? {} : { runtimeImage }),
  };
  plot.remove();

  const tryIn = async (field: Field, pair: Pair): Promise<Finding> => {
    const own = field.plot();
    try {
      const differs = pair.way.differs?.(pair.kind);
      const carried = pair.way.carry(pair.kind.make(own), own, fixtures);
      const attempt: Attempt =
        differs === undefined ? carried : { ...carried, must: 'refuse', refusals: [differs] };
      const run = await runHostile({
        args: attempt.args,
        cwd: own.dir,
        env: { ...own.env, ...attempt.env },
        program: attempt.program ?? own.program,
        ...(idleMs === undefined ? {} : { idleMs }),
      });
      const must = attempt.must ?? pair.way.must?.(pair.kind) ?? pair.kind.must;
      const { refusals } = attempt;
      // What a disk has room for depends on the disk, whatever brings it.
      const allowed =
        pair.kind.notDocker === NOT_DOCKER ? [...refusals, EXIT_CODES.DISK_FULL.exit] : refusals;
      const told = { ...attempt, refusals: allowed };
      const { outcome, problems } = judge(run, told, must, field, own, pair.way.cached === true);
      const asked =
        engine && attempt.docker === true && differs === undefined && pair.kind.notDocker === undefined;
      const docker = asked ? await besideDocker(engine, own, run, must) : [];
      return {
        pair,
        outcome,
        problems: [...problems, ...docker],
        cpuSeconds: run.cpuSeconds,
        peakMiB: run.peakMiB,
        output: [run.stdout, run.stderr, ...docker].join('\n'),
      };
    } finally {
      own.remove();
    }
  };
  const attempt = async (pair: Pair): Promise<Finding> => {
    const field = free.pop();
    if (!field) throw new Error('more runs at the same time than fields');
    try {
      return await tryIn(field, pair);
    } catch (error) {
      const problems = [`it could not be tried: ${error}`];
      return { pair, outcome: 'not tried', problems, cpuSeconds: 0, peakMiB: 0, output: String(error) };
    } finally {
      free.push(field);
    }
  };
  return {
    fixtures,
    try: attempt,
    tryAll: async (pairs, each) => {
      const rest = pairs[Symbol.iterator]();
      // One iterator for all: `for … of` would close it for the others.
      const work = async (): Promise<void> => {
        for (let next = rest.next(); !next.done; next = rest.next()) each(await attempt(next.value));
      };
      await Promise.all(fields.map(work));
    },
    close: async () => {
      for (const field of fields) field.close();
      await git.stop();
      for (const dir of [root, compiled, runtimeImage])
        if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
      await registry.stop();
    },
  };
}

/** What Docker shows to be wrong with a run, or with what its kind says of Docker. */
async function besideDocker(
  engine: DockerEngine,
  plot: Plot,
  { code }: RunResult,
  must: Kind<unknown>['must'],
): Promise<readonly string[]> {
  const docker = await askDocker(engine, plot);
  if (!docker.builds) return must === 'build' ? [`Docker refuses it:\n${docker.text}`] : [];
  if (must === 'refuse') return ['Docker builds what should be refused'];
  if (code !== 0) return ['Docker builds it, as it turns out'];
  const differences = await compareTrees(engine, plot);
  return differences === '' ? [] : [`Docker makes other files of it:\n${differences}`];
}
