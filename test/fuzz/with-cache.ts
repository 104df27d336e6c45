import { join } from 'node:path';
import type { Services } from '../../scripts/lib/services.ts';
import { capture } from '../../scripts/lib/shell.ts';
import type { Where } from '../../src/core/error.ts';
import { compareImages, report } from '../support/compare.ts';
import { type CliResult, envbuilder } from '../support/envbuilder.ts';
import { describeImage, readOciLayout } from '../support/read-image.ts';
import { builtSteps, eventsOf } from '../support/results.ts';
import { edit, withoutGit } from './edits.ts';
import { generate } from './generate.ts';
import { dropFileLine } from './lines.ts';
import { neutralEdits } from './mount-tables.ts';
import { withMounts } from './mounts.ts';
import { createRandom } from './random.ts';
import { cacheArguments, createVolumeBuilds } from './with-volumes.ts';
import { type Finding, prepareWorkplace, type Verdict, type Workplace } from './workplace.ts';

const edits = 7;
const mostRefused = 12;

interface Build {
  readonly result: CliResult;
  readonly layout: string;
}

/**
 * Builds what a seed gives again and again, with an edit before each build, once with a cache that stays and once without:
 * both must give the same image, also where a build in a container with volumes has filled the cache. A build after which
 * only times, owners or the root's mode changed must find every step in the cache.
 */
export async function compareWithCache(services: Services, seed: number): Promise<Verdict> {
  const generated = generate(seed);
  const workplace = await prepareWorkplace(services, String(seed), generated);
  const random = createRandom(seed * 31 + 7);
  const build = createBuilder(workplace);
  let { buildArgs } = generated;
  let lines = withMounts(random, withoutGit(generated.lines));
  const volumes = createVolumeBuilds(services);
  const done: string[] = [];
  let compared = false;
  try {
    lines = await withoutRefused(lines, (left) => build(left, buildArgs, true));
    for (let step = 0; step < edits; step++) {
      const edited = edit(random, lines, buildArgs);
      ({ lines, buildArgs } = edited);
      done.push(edited.what);
      if (edited.command !== undefined)
        await capture('/bin/sh', ['-c', edited.command], { cwd: workplace.context });
      if (random.chance(0.25)) {
        const asked = [...workplace.arguments(lines, buildArgs), ...cacheArguments(workplace.dir)];
        const wrong = await volumes.build(random, [...asked, workplace.context]);
        done.push('a build with volumes');
        if (wrong !== undefined) return { kind: 'volumes', text: wrong, lines, edits: done };
      }
      const cached = await build(lines, buildArgs, true);
      const fresh = await build(lines, buildArgs, false);
      const found = (kind: string, text: string): Finding => ({ kind, text, lines, edits: done });
      if ((cached.result.code === 0) !== (fresh.result.code === 0))
        return found('one-refuses', `${cached.result.stderr}\nwithout a cache:\n${fresh.result.stderr}`);
      if (fresh.result.code !== 0) {
        const fewer = dropFileLine(lines, refusedLine(fresh.result));
        if (fewer === undefined) break;
        lines = fewer;
        continue;
      }
      const differences = await compareLayouts(fresh.layout, cached.layout, services.startedAt);
      compared = true;
      if (differences.length > 0) return found('stale', report(differences));
      if (!random.chance(0.4)) continue;
      const neutral = random.pick(neutralEdits);
      await capture('/bin/sh', ['-c', neutral], { cwd: workplace.context });
      done.push(neutral);
      const missed = builtSteps((await build(lines, buildArgs, true)).result);
      if (missed.length > 0) return found('misses', `steps ${missed.join(', ')} miss after ${neutral}`);
    }
    return compared ? 'same' : 'nothing built';
  } finally {
    workplace.remove();
  }
}

type BuildArgs = Readonly<Record<string, string>>;
type Builder = (lines: readonly string[], args: BuildArgs, cache: boolean) => Promise<Build>;

function createBuilder({ dir, context, arguments: argumentsFor }: Workplace): Builder {
  let builds = 0;
  return async (lines, buildArgs, cache) => {
    const number = builds++;
    const layout = join(dir, `layout-${number}`);
    const flags = [`--output=type=oci,dest=${layout}`, '--progress=json'];
    if (cache) flags.push(...cacheArguments(dir));
    const env = { ENVBUILDER_STATE_DIR: join(dir, cache ? 'state' : `state-${number}`) };
    const asked = ['build', ...argumentsFor(lines, buildArgs), ...flags, context];
    return { layout, result: await envbuilder(asked, { env }) };
  };
}

async function withoutRefused(
  lines: readonly string[],
  build: (lines: readonly string[]) => Promise<Build>,
): Promise<readonly string[]> {
  let left = lines;
  for (let round = 0; round < mostRefused; round++) {
    const { result } = await build(left);
    const fewer = result.code === 0 ? undefined : dropFileLine(left, refusedLine(result));
    if (fewer === undefined) break;
    left = fewer;
  }
  return left;
}

/** The line that the error of a run points at; NaN when it points at none. */
function refusedLine(result: CliResult): number {
  const [event] = eventsOf(result, 'error') as readonly { readonly error: { readonly where?: Where } }[];
  return event?.error.where?.range?.start.line ?? Number.NaN;
}

async function compareLayouts(fresh: string, cached: string, since: number): Promise<string[]> {
  const expected = describeImage(await readOciLayout(fresh), since);
  const actual = describeImage(await readOciLayout(cached), since);
  return compareImages(expected, actual, { mtime: false, history: true });
}
