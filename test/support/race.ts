import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../fuzz/random.ts';
import type { Place } from './cache-place.ts';
import type { CliResult } from './envbuilder.ts';
import { waitUntil } from './remove-dir.ts';
import { builtSteps, cachedImage, eventsOf } from './results.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

export interface RaceOptions {
  readonly seed: number;
  readonly place: Place;
  /** With Distribution's registry, for the base image. */
  readonly base: string;
  readonly builders: number;
  /** How many of the builders are killed at some time. */
  readonly kills: number;
  readonly args?: readonly string[];
  /** 'any' where two may pass each other at a record, and each ends with an image of its own. */
  readonly digests?: 'one' | 'any';
  /** Instead of a random one; its RUNs are made by `runLine`. */
  readonly dockerfile?: readonly string[];
}

/** What a race has shown. */
export interface RaceResult {
  /** What must not be; none is right. */
  readonly problems: readonly string[];
  /** How often each RUN was executed, by key. */
  readonly executed: ReadonlyMap<string, number>;
  /** Bytes that all builders have pushed together, and those that one alone pushes. */
  readonly pushed: number;
  readonly pushedAlone: number;
  readonly waited: number;
  readonly dockerfile: string;
}

/** A RUN that leaves a number which no other execution has, and all numbers that it has seen. */
export function runLine(name: string, seconds = 0, bytes = 30_000): string {
  const numbers = `{ echo "${name}:$(cat /proc/sys/kernel/random/uuid)"; find /s -name '*.txt' -exec cat {} +; }`;
  return `RUN mkdir -p /s; sleep ${seconds}; ${numbers} > /new; mv /new /s/${name}.txt; head -c ${bytes} /dev/urandom > /s/${name}.bin`;
}

/** Builds one Dockerfile several times at once, and looks at what that leaves in the cache. */
export async function race(options: RaceOptions): Promise<RaceResult> {
  const { seed, place, base, builders, kills, args = [] } = options;
  const random = createRandom(seed * 97 + 13);
  const dockerfile = [...(options.dockerfile ?? randomDockerfile(random))]
    .map((line) => line.replaceAll('@BASE@', base))
    .join('\n');
  const box = createSandbox({ Dockerfile: `${dockerfile}\n`, file: `content ${seed}\n` });
  try {
    const alone = await build(box, 'alone', [...place.cache(), ...args]);
    const cache = place.cache();
    const results = await Promise.all(
      Array.from({ length: builders }, async (_, i) => {
        // Wait: at any time.
        await sleep(random.chance(0.4) ? 0 : random.int(1500));
        const killAfter = i < kills ? random.int(3000) + 200 : undefined;
        return build(box, `builder-${i}`, [...cache, ...args], killAfter);
      }),
    );
    const ended = results.filter(({ killed }) => !killed);
    const problems = ended.filter(({ code }) => code !== 0).map(({ output }) => `a build failed: ${output}`);
    if (alone.code !== 0) problems.push(`the build alone failed: ${alone.output}`);
    const digests = new Set(ended.map(({ stdout }) => stdout.trim()));
    if (digests.size > 1 && options.digests !== 'any')
      problems.push(`${digests.size} digests: ${[...digests].join(', ')}`);
    if (problems.length === 0) problems.push(...(await look(box, cache, [...digests])));
    for (const [i, { killed }] of results.entries())
      if (killed) problems.push(...(await leftAfter(box, `builder-${i}`)));
    return {
      problems,
      executed: executions(ended),
      pushed: pushedBytes(ended),
      pushedAlone: pushedBytes([alone]),
      waited: ended.filter(waitedForAnother).length,
      dockerfile,
    };
  } finally {
    box.close();
  }
}

/** Whether a build waited for another one, not only for a stage of its own. */
function waitedForAnother(result: Parameters<typeof eventsOf>[0]): boolean {
  return eventsOf(result, 'step-waiting').some((event) => !('stage' in event));
}

/** The probe finds the image, later builds find every step and end with it, and it holds the files of one build. */
async function look(box: Sandbox, cache: readonly string[], digests: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  // After kills alone, somebody has to push it first.
  if (digests.length === 0) await build(box, 'after', cache);
  const probe = await box.build(cache, { command: 'probe' });
  const image = cachedImage(probe)?.split('@')[1];
  if (image === undefined) problems.push(`the probe misses: ${probe.output}`);
  else if (digests.length > 0 && !digests.includes(image)) problems.push(`the probe finds ${image}`);
  for (const name of ['again', 'once-more']) {
    const again = await build(box, name, [
      ...cache,
      `--output=type=rootfs,dest=${box.path(`rootfs-${name}`)}`,
    ]);
    if (again.code !== 0) problems.push(`a later build fails: ${again.output}`);
    if (builtSteps(again).length > 0) problems.push(`a later build misses ${builtSteps(again).join(', ')}`);
    if (image !== undefined && again.stdout.trim() !== image)
      problems.push(`a later build gives ${again.stdout}`);
  }
  problems.push(
    ...mixtures(box.path('rootfs-again')).map((text) => `layers of two builds are mixed: ${text}`),
  );
  return problems;
}

/** What a killed build left in its working directory once another build has used that; it had mounts there. */
export async function leftAfter(box: Sandbox, name: string): Promise<string[]> {
  const work = box.path(`work-${name}`);
  const context = box.path(`next-${name}`);
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  const env = { ENVBUILDER_STATE_DIR: box.path(`state-${name}`), ENVBUILDER_WORK_DIR: work };
  const next = await box.build([], { context, env });
  if (next.code !== 0) return [`the next build in its working directory fails: ${next.output}`];
  const left = (): readonly string[] => (existsSync(work) ? readdirSync(work) : []);
  return waitUntil(() => left().length === 0) ? [] : [`it left ${left().join(', ')}`];
}

interface Built extends CliResult {
  readonly killed: boolean;
}

/** One builder, on a machine of its own. */
async function build(
  box: Sandbox,
  name: string,
  args: readonly string[],
  killAfter?: number,
): Promise<Built> {
  let killed = false;
  let timer: NodeJS.Timeout | undefined;
  const result = await box.build(['--progress=json', '--push-image', ...args], {
    env: { ENVBUILDER_STATE_DIR: box.path(`state-${name}`), ENVBUILDER_WORK_DIR: box.path(`work-${name}`) },
    timeoutMs: 600_000,
    watch: (_, kill) => {
      if (killAfter === undefined || timer) return;
      // Wait: it is killed at any time.
      timer = setTimeout(() => {
        killed = true;
        kill('SIGKILL');
      }, killAfter);
    },
  });
  clearTimeout(timer);
  return { ...result, killed };
}

function executions(results: readonly CliResult[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const result of results) {
    const planned = eventsOf(result, 'step-planned') as readonly { id: object; text: string }[];
    const runs = new Set(
      planned.filter(({ text }) => text.startsWith('RUN')).map(({ id }) => JSON.stringify(id)),
    );
    const finished = eventsOf(result, 'step-finished') as readonly {
      id: object;
      outcome: string;
      key: string;
    }[];
    for (const { id, outcome, key } of finished)
      if (outcome === 'built' && runs.has(JSON.stringify(id))) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function pushedBytes(results: readonly CliResult[]): number {
  const transfers = results.flatMap((result) => eventsOf(result, 'transfer')) as unknown as readonly {
    direction: string;
    bytes: number;
  }[];
  return transfers.reduce((sum, { direction, bytes }) => sum + (direction === 'push' ? bytes : 0), 0);
}

/** Names that stand in the files of an image with the numbers of two executions. */
function mixtures(rootfs: string): string[] {
  const numbers = new Map<string, Set<string>>();
  const files = readdirSync(rootfs, { recursive: true })
    .map(String)
    .filter((name) => /(^|\/)s\/.*\.txt$/.test(name));
  for (const file of files) {
    for (const line of readFileSync(join(rootfs, file), 'utf8').trim().split('\n')) {
      const [name = '', number = ''] = line.split(':');
      numbers.set(name, (numbers.get(name) ?? new Set()).add(number));
    }
  }
  return [...numbers]
    .filter(([, found]) => found.size > 1)
    .map(([name, found]) => `${name} has ${[...found].join(', ')}`);
}

/** Stages that go on from each other, copy from each other and have steps in common. */
function randomDockerfile(random: Random): readonly string[] {
  const lines: string[] = [];
  const count = 1 + random.int(4);
  for (let stage = 0; stage < count; stage += 1) {
    const onStage = stage > 0 && random.chance(0.3);
    lines.push(`FROM ${onStage ? `s${random.int(stage)}` : '@BASE@'} AS s${stage}`);
    if (!onStage && random.chance(0.5)) lines.push(runLine('common', 0.3));
    const steps = random.int(3) + (stage === count - 1 ? 1 : 0);
    for (let step = 0; step < steps; step += 1) {
      const kind = random.int(4);
      if (kind === 0 && stage > 0) lines.push(`COPY --from=s${random.int(stage)} /s* /s/from-${step}/`);
      else if (kind === 1) lines.push(`COPY file /s/file-${stage}-${step}`);
      else lines.push(runLine(`r${stage}-${step}`, random.int(8) / 10));
    }
    if (random.chance(0.3)) lines.push(`ENV E${stage}=1`);
  }
  // Whatever the other stages have made comes together.
  for (let stage = 0; stage < count - 1; stage += 1)
    if (random.chance(0.6)) lines.push(`COPY --from=s${stage} /s* /s/last-${stage}/`);
  return lines;
}
