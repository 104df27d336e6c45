import { lookupRecords } from '../cache/lookup.ts';
import { AppError } from '../core/error.ts';
import { type Emit, timed } from '../core/events.ts';
import type { Plan, Step } from '../plan/types.ts';
import { choosePlan, plansOf } from './choose-plan.ts';
import { makePlan } from './make-plan.ts';
import type { MissCause } from './misses/causes.ts';
import { createComparison, firstLine } from './misses/compare.ts';
import { createExplainer } from './misses/explain.ts';
import { readTrace, readTraceFrom } from './misses/trace.ts';
import { keysOf, NO_RECORDS } from './search-records.ts';
import { createSession } from './session.ts';
import type { BuildRequest, ExplainedStep, Explanation } from './types.ts';

/**
 * What a build would take from the cache, and why not the rest. Nothing is run, downloaded or written.
 * @param from the beginning of the time of an earlier build to compare with, in place of the last one
 * @throws AppError USAGE without a cache, REFERENCE where no such build has left a trace, and what a plan throws
 */
export async function runExplain(
  request: BuildRequest,
  { from }: { readonly from?: string },
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<Explanation> {
  const session = createSession(request, { emit, signal });
  try {
    const { cacheStore: store, lookup } = session;
    if (!store) {
      throw new AppError('USAGE', 'an explanation needs a cache to look into', {
        hint: 'name it with --cache-repo (ENVBUILDER_CACHE_REPO) or --layer-cache-dir (ENVBUILDER_LAYER_CACHE_DIR)',
      });
    }
    const planned = await timed(emit, 'plan', () =>
      makePlan(request, session, { emit, signal, readOnly: true }),
    );
    const plans = lookup ? plansOf(request, planned) : [planned];
    const found = await timed(emit, 'lookup', async () =>
      lookup ? lookupRecords(keysOf(plans), lookup) : new Map(),
    );
    const { plan, usable } = await choosePlan(
      plans,
      { ...NO_RECORDS, found },
      { store, bad: new Set(), emit, signal },
    );
    const trace = await (from === undefined
      ? readTrace(store, plan, signal)
      : readTraceFrom(store, plan, from, signal));
    const explain = createExplainer({ plan, trace, found, usable, lookup });
    const compare = trace && from !== undefined ? createComparison(plan, trace) : undefined;
    const steps = [...plan.stages.values()].flatMap((stage) =>
      stage.steps.map(async (step): Promise<ExplainedStep> => {
        const cached = step.index < usable.hits.get(stage.index)!.depth;
        if (!cached) return explained(plan, step, { cached, causes: await explain(step) });
        const changes = (await compare?.(step)) ?? [];
        return explained(plan, step, {
          cached,
          causes: changes.filter(({ code }) => code !== 'record-gone'),
        });
      }),
    );
    return { since: trace?.at ?? null, steps: await Promise.all(steps) };
  } finally {
    await session.close();
  }
}

function explained(
  plan: Plan,
  { stage, text, range, key }: Step,
  { cached, causes }: { readonly cached: boolean; readonly causes: readonly MissCause[] },
): ExplainedStep {
  return {
    stage: plan.stages.get(stage)!.name,
    instruction: firstLine(text),
    file: range.file,
    line: range.start.line,
    key,
    cached,
    causes,
  };
}
