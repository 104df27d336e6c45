import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOLDEN_BUILDS } from './golden-builds.ts';
import { joinPlans, partsOf } from './join.ts';
import { rekeyed } from './rekeyed.ts';
import { planOf } from './testing.ts';
import type { Plan } from './types.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };

/** All that a target is made of, whatever its stages are numbered: each stage with its keys and those behind it. */
function madeOf(plan: Plan): unknown {
  const of = (index: number): unknown => {
    const { base, baseKey, lastKey, config, history, steps } = plan.stages.get(index)!;
    return {
      base: base.type === 'stage' ? of(base.stage) : base.type,
      baseKey,
      lastKey,
      config,
      history,
      steps: steps.map(({ key, operation, stages }) => {
        const mounts = operation.kind === 'run' ? operation.mounts : [];
        const inputs = operation.kind === 'copy' ? operation.inputs : [];
        const read = [
          ...mounts.flatMap(({ source }) => (source?.type === 'stage' ? [source.stage] : [])),
          ...inputs.flatMap((one) =>
            one.kind === 'from' && one.source.type === 'stage' ? [one.source.stage] : [],
          ),
        ];
        return { key, read: read.map(of), behind: stages.map(of) };
      }),
    };
  };
  const { platform, imagePlatform, mtime } = plan;
  return { platform, imagePlatform, mtime, target: of(plan.target) };
}

test('each part of a joined plan is the plan that it was made of, with other times too', async () => {
  for (const [name, build] of Object.entries(GOLDEN_BUILDS)) {
    const plans = [await planOf({ ...build, platform: AMD64 }), await planOf({ ...build, platform: ARM64 })];
    const joined = joinPlans(plans);
    assert.deepEqual(partsOf(joined).map(madeOf), plans.map(madeOf), name);
    const others = plans.map((plan) => rekeyed(plan, 7));
    assert.deepEqual(partsOf(rekeyed(joined, 7)).map(madeOf), others.map(madeOf), name);
    for (const [index, stage] of joined.stages) {
      assert.equal(stage.index, index, name);
      assert.ok(
        stage.steps.every((step) => step.stage === index),
        name,
      );
    }
  }
});

test('what is the same for all platforms is there once, and is named after its own', async () => {
  const dockerfile = `
FROM --platform=linux/amd64 base AS tools
RUN make tools
FROM --platform=linux/amd64 base AS compile
COPY --from=tools /tools /
ARG TARGETARCH
RUN make $TARGETARCH
FROM base
COPY --from=compile /out /
`;
  const images = { base: { layers: ['a'] } };
  const plans = [
    await planOf({ dockerfile, images, platform: AMD64 }),
    await planOf({ dockerfile, images, platform: ARM64 }),
  ];
  assert.deepEqual(
    [...joinPlans(plans).stages.values()].map(({ name }) => name).sort(),
    [
      'linux/amd64 compile',
      'linux/amd64 stage-2',
      'linux/amd64 tools',
      'linux/amd64->arm64 compile',
      'linux/arm64 stage-2',
    ].sort(),
  );
});
