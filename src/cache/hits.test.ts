import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../core/digest.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { chainId, SCRATCH } from './chain-id.ts';
import { sourcesOf } from './claims.ts';
import { missingSteps, resolveHits } from './hits.ts';
import { fakeLayer, fakeRecord } from './testing.ts';
import type { CacheRecord } from './types.ts';

const key = (stage: number, step: number): Digest => digestOf(`key ${stage}.${step}`);

function fakeStage(
  index: number,
  steps: number,
  base: PlannedStage['base'] = { type: 'scratch' },
): PlannedStage {
  const list = Array.from(
    { length: steps },
    (_, i) => ({ key: key(index, i), stages: [] }) as unknown as Step,
  );
  const lastKey = list.at(-1)?.key ?? digestOf(`base ${index}`);
  return { index, name: String(index), base, steps: list, lastKey } as unknown as PlannedStage;
}

/** A step that reads from stages. */
const reading = (step: Step, ...stages: number[]): Step => ({ ...step, stages });

/** The last stage is the target. */
function planOf(stages: readonly PlannedStage[]): Plan {
  const target = stages.at(-1)!.index;
  return { stages: new Map(stages.map((stage) => [stage.index, stage])), target } as unknown as Plan;
}

function hitsOf(stages: readonly PlannedStage[], records: readonly CacheRecord[]) {
  return resolveHits(planOf(stages), new Map(records.map((record) => [record.key, record])));
}

const chainOf = (...names: string[]): string =>
  chainId(
    SCRATCH,
    names.map((name) => fakeLayer(name).diffId),
  );

test('the deepest record wins, and a gap before it does not matter', () => {
  const hits = hitsOf(
    [fakeStage(0, 3)],
    [fakeRecord(key(0, 0), ['a']), fakeRecord(key(0, 2), ['a', 'b', 'c'])],
  );
  assert.equal(hits.get(0)!.depth, 3);
  assert.equal(hits.get(0)!.chain.length, 3);
});

test('the deepest record wins over one of another build below it, since it names all layers', () => {
  const hits = hitsOf(
    [fakeStage(0, 2)],
    [fakeRecord(key(0, 0), ['rebuilt']), fakeRecord(key(0, 1), ['old', 'b'])],
  );
  assert.equal(hits.get(0)!.depth, 2);
  assert.deepEqual(hits.get(0)!.chain, [fakeLayer('old'), fakeLayer('b')]);
});

test('a record whose steps are not those of the stage is a miss', () => {
  const short = fakeRecord(key(0, 1), ['b']);
  assert.equal(hitsOf([fakeStage(0, 2)], [short]).get(0)!.depth, 0);
});

test('a record made on another base is a miss', () => {
  const hits = hitsOf([fakeStage(0, 1)], [fakeRecord(key(0, 0), ['a'], { base: digestOf('other base') })]);
  assert.equal(hits.get(0)!.depth, 0);
});

test('a complete target needs nothing else, whatever became of the stages that it copied from', () => {
  const source = fakeStage(0, 1);
  const target = fakeStage(1, 2);
  const sources = { [source.lastKey]: chainOf('old') };
  const copied = fakeRecord(key(1, 1), ['x', 'copied'], { sources });
  for (const others of [[], [fakeRecord(key(0, 0), ['new'])], [fakeRecord(key(0, 0), ['old'])]]) {
    const hits = hitsOf([source, target], [...others, copied]);
    assert.equal(hits.get(1)!.depth, 2);
    assert.deepEqual(missingSteps(planOf([source, target]), hits), []);
  }
});

test('where a step still has to read a stage, records that read another result of it are left out', () => {
  const source = fakeStage(0, 1);
  const plain = fakeStage(1, 3);
  const [first, second, third] = plain.steps;
  const target = { ...plain, steps: [first!, reading(second!, 0), reading(third!, 0)] };
  const sources = { [source.lastKey]: chainOf('old') };
  const records = [fakeRecord(key(1, 0), ['x']), fakeRecord(key(1, 1), ['x', 'copied'], { sources })];
  const depth = (...more: CacheRecord[]) => hitsOf([source, target], [...records, ...more]).get(1)!.depth;
  assert.equal(depth(fakeRecord(key(0, 0), ['old'])), 2);
  assert.equal(depth(fakeRecord(key(0, 0), ['new'])), 1);
  // The stage would be built anew, with another result than the one that was copied.
  assert.equal(depth(), 1);
});

test('FROM stage continues the chain of that stage', () => {
  const parent = fakeStage(0, 1);
  const child = fakeStage(1, 1, { type: 'stage', stage: 0 });
  const records = [fakeRecord(key(0, 0), ['p']), fakeRecord(key(1, 0), ['p', 'c'])];
  assert.equal(hitsOf([parent, child], records).get(1)!.depth, 1);
  const other = [fakeRecord(key(0, 0), ['new p']), fakeRecord(key(1, 0), ['p', 'c'])];
  assert.deepEqual(hitsOf([parent, child], other).get(1)!.chain, [fakeLayer('p'), fakeLayer('c')]);
  const hit = hitsOf([parent, child], [fakeRecord(key(0, 0), ['new p'])]).get(1)!;
  assert.deepEqual([hit.depth, hit.chain], [0, [fakeLayer('new p')]]);
});

test('a stage without steps of its own was made when the stage below it was, through any number of them', () => {
  const stages = [0, 1, 2].map((index) =>
    fakeStage(
      index,
      index === 0 ? 1 : 0,
      index === 0 ? { type: 'scratch' } : { type: 'stage', stage: index - 1 },
    ),
  );
  const record = fakeRecord(key(0, 0), ['p'], { created: '2026-03-04T05:06:07Z' });
  assert.equal(hitsOf(stages, [record]).get(2)!.created, record.created);
  assert.deepEqual(missingSteps(planOf(stages), hitsOf(stages, [])), stages[0]!.steps);
});

test('a step that two stages have in common is the same in both', () => {
  const shared = fakeStage(0, 1).steps[0]!;
  const stage = (index: number): PlannedStage => {
    const made = fakeStage(index, 2);
    return { ...made, steps: [shared, made.steps[1]!] };
  };
  const plain = fakeStage(2, 2);
  const target = { ...plain, steps: plain.steps.map((step, i) => reading(step, i)) };
  const hits = hitsOf(
    [stage(0), stage(1), target],
    [
      fakeRecord(shared.key, ['from build 2']),
      fakeRecord(key(0, 1), ['from build 1', 'a']),
      fakeRecord(key(1, 1), ['from build 2', 'b']),
    ],
  );
  assert.deepEqual(hits.get(0)!.chain, [fakeLayer('from build 1'), fakeLayer('a')]);
  // Its own record is of build 2; what build 1 made of the common step is in the record of the other stage.
  assert.deepEqual([hits.get(1)!.depth, hits.get(1)!.chain], [1, [fakeLayer('from build 1')]]);
});

test('of any records of any builds, layers of two builds are never put together', () => {
  let [deep, partial] = [0, 0];
  for (let seed = 1; seed <= 400; seed += 1) {
    const { plan, records, finish } = raceOf(randomNumbers(seed));
    const hits = resolveHits(plan, records);
    assert.deepEqual(mixedKeys(finish(hits)), [], `seed ${seed}`);
    const { depth } = hits.get(plan.target)!;
    if (depth === plan.stages.get(plan.target)!.steps.length) deep += 1;
    else if (depth > 0) partial += 1;
  }
  // The trials are of all kinds.
  assert.ok(deep > 40 && partial > 40, `${deep} complete, ${partial} in part`);
});

/** A linear congruential generator: numbers below `limit`. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed * 7919;
  return (limit) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * limit);
  };
}

/** Names of layers say all that they were made of: `key@build[names of what was read]`. */
type Chain = readonly string[];

/**
 * Some stages that read from each other and share steps; several builds of them, each whole and on its own; and a cache
 * that holds of every key the record of some build, or none.
 */
function raceOf(random: (limit: number) => number) {
  const stages: PlannedStage[] = [];
  for (let index = 0; index < 4; index += 1) {
    const onStage = index > 0 && random(3) === 0;
    const plain = fakeStage(
      index,
      random(3) + (index === 3 ? 1 : 0),
      onStage ? { type: 'stage', stage: random(index) } : { type: 'scratch' },
    );
    const twin = !onStage && index > 0 && random(3) === 0 ? stages[0]!.steps[0] : undefined;
    const steps = plain.steps.map((step, i) => {
      if (i === 0 && twin) return twin;
      return index > 0 && random(2) === 0 ? reading(step, random(index)) : step;
    });
    const below = plain.base.type === 'stage' ? stages[plain.base.stage]!.lastKey : digestOf(`base ${index}`);
    stages.push({ ...plain, steps, lastKey: steps.at(-1)?.key ?? below });
  }
  const plan = planOf(stages);
  const nameOf = new Map(
    stages.flatMap(({ steps }) => steps.map((step) => [step.key, step.key.slice(7, 15)])),
  );

  /** All that a build makes of the stages that it needs, on top of what it has. */
  const build = (name: string, hits: ReturnType<typeof resolveHits> | undefined) => {
    const done = new Map<number, { chain: Chain; sources: Record<string, string> }>();
    const made: CacheRecord[] = [];
    const named = new Map(
      [...records].flatMap(([, { chain }]) => chain.map((one) => [one.diffId, layerNames.get(one.diffId)!])),
    );
    const resultOf = (index: number): { chain: Chain; sources: Record<string, string> } => {
      const known = done.get(index);
      if (known) return known;
      const stage = stages[index]!;
      const hit = hits?.get(index);
      const depth = hit?.depth ?? 0;
      const below = depth === 0 && stage.base.type === 'stage' ? resultOf(stage.base.stage) : undefined;
      let chain: Chain = depth > 0 ? hit!.chain.map((one) => named.get(one.diffId)!) : (below?.chain ?? []);
      let sources: Record<string, string> = depth > 0 ? { ...hit!.sources } : { ...below?.sources };
      for (const step of stage.steps.slice(depth)) {
        const read: string[] = [];
        for (const other of step.stages) {
          const result = resultOf(other);
          read.push(...result.chain);
          const chain = result.chain.map(fakeLayer);
          const made = '1'.repeat(chain.length);
          sources = { ...sources, ...result.sources, ...sourcesOf(plan, stages[other]!, { chain, made }) };
        }
        // The same step is made once in a build: its name is that of its key and the build.
        chain = [...chain, `${nameOf.get(step.key)}@${name}[${read.join(' ')}]`];
        for (const one of chain) layerNames.set(fakeLayer(one).diffId, one);
        made.push(fakeRecord(step.key, chain, { sources }));
      }
      done.set(index, { chain, sources });
      return done.get(index)!;
    };
    return {
      made,
      target: () => resultOf(plan.target).chain,
      all: () => stages.map((_, i) => resultOf(i)),
    };
  };
  const layerNames = new Map<string, string>();
  const records = new Map<Digest, CacheRecord>();
  const builds = ['one', 'two', 'three'].map((name) => build(name, undefined));
  for (const { all } of builds) all();
  for (const step of nameOf.keys()) {
    const candidates = builds.flatMap(({ made }) => made.filter((record) => record.key === step));
    const chosen = candidates[random(candidates.length * 2)];
    if (chosen) records.set(step, chosen);
  }
  return { plan, records, finish: (hits: ReturnType<typeof resolveHits>) => build('new', hits).target() };
}

/** Keys that stand in an image with the names of two builds. */
function mixedKeys(chain: Chain): string[] {
  const found = new Map<string, Set<string>>();
  for (const [, step, name] of chain.join(' ').matchAll(/([0-9a-f]{8})@(\w+)/g))
    found.set(step!, (found.get(step!) ?? new Set()).add(name!));
  return [...found].filter(([, names]) => names.size > 1).map(([step]) => step);
}

test('chain IDs are those of the image specification', () => {
  const [a, b] = [digestOf('a'), digestOf('b')];
  assert.equal(chainId(SCRATCH, []), SCRATCH);
  assert.equal(chainId(SCRATCH, [a]), a);
  assert.equal(chainId(SCRATCH, [a, b]), digestOf(`${a} ${b}`));
  assert.equal(chainId(a, [b]), digestOf(`${a} ${b}`));
});

test('of several images, one that is recorded whole is what it is alone, whatever the records of another one say', () => {
  // A common stage, and two targets that copy from it.
  const common = fakeStage(0, 1);
  const copying = (index: number): PlannedStage => {
    const stage = fakeStage(index, 2);
    return { ...stage, steps: [reading(stage.steps[0]!, 0), stage.steps[1]!] };
  };
  const [first, second] = [copying(1), copying(2)];
  const image = { platform: {}, imagePlatform: {} } as unknown as Pick<Plan, 'platform' | 'imagePlatform'>;
  const several = { ...planOf([common, first]), others: [{ ...image, target: 2 }] };
  const plan: Plan = { ...several, stages: new Map([...several.stages, [2, second]]) };
  const recordOf = (stage: number, step: number, build: string): CacheRecord => {
    const chain = ['copied', 'made'].slice(0, step + 1).map((layer) => `${layer} ${stage}`);
    return fakeRecord(key(stage, step), chain, { sources: { [common.lastKey]: chainOf(build) } });
  };
  const depths = (...records: readonly CacheRecord[]): readonly number[] => {
    const hits = resolveHits(plan, new Map(records.map((record) => [record.key, record])));
    return [1, 2].map((stage) => hits.get(stage)!.depth);
  };
  // Two builds that made the common stage differently.
  assert.deepEqual(depths(recordOf(1, 1, 'one'), recordOf(2, 1, 'other')), [2, 2]);
  // What is not whole goes on from one build alone.
  const made = fakeRecord(key(0, 0), ['one']);
  assert.deepEqual(depths(made, recordOf(1, 0, 'one'), recordOf(2, 0, 'other')), [1, 0]);
  assert.deepEqual(depths(recordOf(1, 0, 'one'), recordOf(2, 0, 'one')), [1, 1]);
  // The whole one takes nothing from the other one.
  assert.deepEqual(depths(recordOf(1, 0, 'one'), recordOf(2, 1, 'other')), [1, 2]);
});
